//! Measurements that need a process of their own: this program starts itself again, and the child says on one line what
//! it measured. What such a child is told and answers stands beside the bench that asks it.

use std::process::{Command, Stdio};

use crate::Result;
use crate::benches::{cold_open, table};

/// The word that makes a child of this program.
pub(crate) const COMMAND: &str = "child";

/// Does what the child is told.
pub(crate) fn run(words: &[String]) -> Result<()> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let answer = match words.as_slice() {
        ["cold-open", folder] => cold_open::first_code(folder.as_ref())?,
        ["load-table", file] => table::load(file.as_ref())?,
        ["remember-keys"] => table::remember_keys()?,
        _ => return Err("no such child".into()),
    };
    let answer: Vec<String> = answer.iter().map(ToString::to_string).collect();
    println!("{}", answer.join(" "));
    Ok(())
}

/// Starts a child and waits for its answer.
pub(crate) fn ask<const N: usize>(words: &[&str]) -> Result<[u64; N]> {
    let output = Command::new(std::env::current_exe()?)
        .arg(COMMAND)
        .args(words)
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("the child `{}` failed: {}", words.join(" "), output.status).into());
    }
    let answer = String::from_utf8(output.stdout)?;
    let numbers = answer
        .split_whitespace()
        .map(str::parse)
        .collect::<std::result::Result<Vec<u64>, _>>()?;
    <[u64; N]>::try_from(numbers).map_err(|_| format!("the child answered {answer:?}").into())
}
