//! Keeps a file that is cut under a mapped window from killing the process.
//!
//! Touching a mapped page that the file no longer reaches, or that its disk cannot give, raises SIGBUS. The
//! handler here looks the address up among the windows of this process, marks that window as torn and puts
//! zero pages over it; then the touch is repeated and reads zeros. So whoever reads a window has to ask
//! [`Watch::is_torn`] before believing what was read. A fault in no window goes to whatever handled SIGBUS
//! before. libwayland keeps its shared memory pools from harm in the same way.
//!
//! The handler reads and writes atomics and makes one system call. It takes no lock, allocates nothing and
//! cannot panic, so it may interrupt any code, its own included.
//!
//! signal-hook is no help here: it calls the earlier handler first, and that of Rust's runtime, which looks
//! for stack overflows, puts the default back for every address that it does not know. rustix has no stable
//! `sigaction`, so that comes from libc; the zero pages come from rustix, whose `mmap` leaves errno alone.

use std::ffi::{c_int, c_void};
use std::mem;
use std::ops::Range;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst, compiler_fence};

use libc::{SIG_DFL, SIG_IGN, SIGBUS, sigaction, siginfo_t};
use memmap2::Mmap;
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};

/// The watched windows, one word each so that a slot changes as a whole: the address of the first page, in
/// the bits that a page leaves free the number of pages and [`TORN`]; 0 where nobody watches.
static SLOTS: [AtomicUsize; 64] = [const { AtomicUsize::new(0) }; 64];

/// Set once something else than the file's bytes may have been read.
const TORN: usize = 1;

/// The smallest size of a page anywhere.
const PAGE: usize = 4096;

/// The longest window that fits into a slot.
pub(super) const LONGEST: usize = (PAGE / 2 - 1) * PAGE;

/// Watches a mapped window for as long as it lives.
pub(super) struct Watch(&'static AtomicUsize);

impl Watch {
    /// Watches `map`; `None` where it cannot be: too many are watched, or it does not begin with a page.
    ///
    /// # Safety
    ///
    /// The map has to outlive the watch, and nobody may rely on what its pages hold.
    #[allow(unsafe_code)]
    pub unsafe fn over(map: &Mmap) -> Option<Self> {
        let start = map.as_ptr().expose_provenance();
        let fits = start.is_multiple_of(PAGE) && (1..=LONGEST).contains(&map.len());
        if !fits || !is_installed() {
            return None;
        }
        let word = start | (map.len().div_ceil(PAGE) << 1);
        SLOTS.iter().find(|slot| slot.compare_exchange(0, word, SeqCst, SeqCst).is_ok()).map(Watch)
    }

    /// Whether anything that was read from the window up to now may have been something else than the file.
    pub fn is_torn(&self) -> bool {
        // What was read has to have been read before the mark is looked at.
        compiler_fence(SeqCst);
        self.0.load(SeqCst) & TORN != 0
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.store(0, SeqCst);
    }
}

/// The addresses that a word of [`SLOTS`] stands for.
fn window_of(word: usize) -> Range<usize> {
    let start = word & !(PAGE - 1);
    start..start + ((word % PAGE) >> 1) * PAGE
}

/// What handled SIGBUS before.
static EARLIER: OnceLock<sigaction> = OnceLock::new();

/// Whether the handler is in place; the first call puts it there.
fn is_installed() -> bool {
    static INSTALLED: OnceLock<bool> = OnceLock::new();
    *INSTALLED.get_or_init(|| {
        // SAFETY: A `sigaction` may be all zeros (no handler, no flags, an empty mask). Both calls get valid
        // pointers or null, and the handler does only what a handler may do. `EARLIER` is there before the
        // handler is, which therefore finds it.
        #[allow(unsafe_code)]
        unsafe {
            let mut earlier: sigaction = mem::zeroed();
            if libc::sigaction(SIGBUS, ptr::null(), &mut earlier) != 0 {
                return false;
            }
            EARLIER.get_or_init(|| earlier);
            let mut ours: sigaction = mem::zeroed();
            ours.sa_sigaction = (on_sigbus as extern "C" fn(_, _, _)) as *const () as usize;
            ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            libc::sigaction(SIGBUS, &ours, ptr::null_mut()) == 0
        }
    })
}

extern "C" fn on_sigbus(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: The kernel gives a handler with `SA_SIGINFO` a valid `info`, and of SIGBUS it has an address,
    // which is not looked at where a process sent the signal (codes up to 0).
    #[allow(unsafe_code)]
    let (code, address) = unsafe { ((*info).si_code, (*info).si_addr().addr()) };
    let missing = code > 0 && code != libc::BUS_ADRALN;
    if !(missing && tear(address)) {
        pass_on(signal, info, context, code);
    }
}

/// Puts zero pages over the window that `address` lies in. `false` where it lies in none.
///
/// That window cannot go away meanwhile: the thread that stands at the fault has borrowed it. Others may come
/// and go, but a slot is filled after its window was mapped and emptied before it is unmapped, in one step
/// each, so no two slots ever name the same page.
fn tear(address: usize) -> bool {
    let holds = |slot: &&AtomicUsize| window_of(slot.load(SeqCst)).contains(&address);
    let Some(slot) = SLOTS.iter().find(holds) else {
        return false;
    };
    // The mark comes first: whoever sees a zero can see the mark. Two threads may do this at once; the second
    // puts zeros over zeros.
    let window = window_of(slot.fetch_or(TORN, SeqCst));
    let start = ptr::with_exposed_provenance_mut(window.start);
    let (access, how) = (ProtFlags::READ, MapFlags::PRIVATE | MapFlags::FIXED);
    // SAFETY: The range is that of a live, read-only map of a `Watch`, whose contract says that nobody relies
    // on what it holds. It stays mapped throughout, and the owner unmaps it by the same address and length.
    #[allow(unsafe_code)]
    let zeros = unsafe { mmap_anonymous(start, window.len(), access, how) };
    zeros.is_ok()
}

/// Leaves the signal to the earlier handler, or to the default: the end of the process.
fn pass_on(signal: c_int, info: *mut siginfo_t, context: *mut c_void, code: c_int) {
    let earlier = EARLIER.get().map_or((SIG_DFL, 0), |earlier| (earlier.sa_sigaction, earlier.sa_flags));
    match earlier {
        // Only a signal that was sent can be ignored; a fault would come again for ever.
        (SIG_IGN, _) if code <= 0 => {}
        // SAFETY: Both calls are allowed in a handler. The signal is blocked until it returns.
        #[allow(unsafe_code)]
        (SIG_DFL | SIG_IGN, _) => unsafe {
            libc::signal(signal, SIG_DFL);
            libc::raise(signal);
        },
        // SAFETY: The address is that of a handler that was installed with these flags, which say what it
        // takes.
        #[allow(unsafe_code)]
        (handler, flags) => unsafe {
            let handler = ptr::with_exposed_provenance::<()>(handler);
            if flags & libc::SA_SIGINFO == 0 {
                mem::transmute::<*const (), extern "C" fn(c_int)>(handler)(signal);
            } else {
                type Handler = extern "C" fn(c_int, *mut siginfo_t, *mut c_void);
                mem::transmute::<*const (), Handler>(handler)(signal, info, context);
            }
        },
    }
}
