//! Operations on money that the bank has a part in.

mod flow;
