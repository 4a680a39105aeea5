//! Mode, owner and access control list of the old store, for the new one.
//!
//! A store holds private chats, so nobody may gain access by our hand; and an operator who gave a group
//! access keeps that. Where the owner or the list cannot be kept we give up. Other attributes (SELinux
//! labels, `user.*`) are copied as far as that is allowed.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::disk::{DiskError, DiskFile};
use super::error::ApplyError;
use super::write::path_of;

/// With a list, the group bits of the mode are its mask: the mode alone would open the file to the group.
const ACCESS_LIST: &[u8] = b"system.posix_acl_access";

/// Gives `new`, which lies at `path`, what `old` has.
pub(super) fn keep(old: &File, new: &mut dyn DiskFile, path: &Path) -> Result<(), ApplyError> {
    let told = |cause| DiskError::new("look at", &path_of(old), cause);
    let meta = old.metadata().map_err(told)?;
    let made = path.metadata().map_err(|cause| DiskError::new("look at", path, cause))?;
    if (made.uid(), made.gid()) != (meta.uid(), meta.gid()) {
        match new.set_owner(meta.uid(), meta.gid()) {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                return Err(ApplyError::Refused(format!(
                    "the store belongs to user {} and group {}, and a new file cannot be given to them: \
                     run as that user",
                    meta.uid(),
                    meta.gid()
                )));
            }
            other => other?,
        }
    }
    new.set_mode(meta.mode() & 0o7777)?;
    for (name, value) in extended(old).map_err(told)? {
        let set = new.set_attribute(OsStr::from_bytes(&name), &value);
        if name == ACCESS_LIST && set.is_err() {
            let why = "the store has an access control list that a new file cannot be given";
            return Err(ApplyError::Refused(why.to_owned()));
        }
    }
    Ok(())
}

/// Names and values; none where the file system has no attributes.
fn extended(file: &File) -> io::Result<Vec<(Vec<u8>, Vec<u8>)>> {
    use rustix::io::Errno;
    let mut names = vec![0; 64 << 10];
    let length = match rustix::fs::flistxattr(file, &mut names) {
        Err(Errno::NOTSUP | Errno::NOSYS) => return Ok(Vec::new()),
        other => other?,
    };
    let mut found = Vec::new();
    let mut value = vec![0; 64 << 10];
    for name in names[..length].split(|&byte| byte == 0).filter(|name| !name.is_empty()) {
        if let Ok(length) = rustix::fs::fgetxattr(file, OsStr::from_bytes(name), &mut value) {
            found.push((name.to_vec(), value[..length].to_vec()));
        }
    }
    Ok(found)
}
