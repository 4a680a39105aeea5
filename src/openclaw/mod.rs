//! Filled in by the step that needs it.
