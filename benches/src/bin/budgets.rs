//! Compares the cost of each released function with the table of earlier costs.

#![expect(clippy::print_stdout, reason = "the result is for the person who ran it")]

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use benches::measure::{counts_instructions, measure};
use benches::package::Package;
use benches::subject::SUBJECTS;
use benches::table::{Costs, over, read, replace, rises, write};
use clap::Parser;

/// Holds what each shipped function costs against the table of what it did.
#[derive(Parser)]
struct BudgetArguments {
    /// The folder that `make package` made
    #[arg(long)]
    package: PathBuf,
    /// The page with the table
    #[arg(long, default_value = "docs/benchmarks/budgets.md")]
    page: PathBuf,
    /// Writes the table instead of holding anything against it
    #[arg(long)]
    write: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<ExitCode> {
    let arguments = BudgetArguments::parse();
    let page = fs::read_to_string(&arguments.page)?;
    let package = Package::open(&arguments.package);
    let count = counts_instructions();
    if !count {
        println!("valgrind is not installed: instructions are not counted");
    }
    let mut now = Costs::new();
    for subject in &SUBJECTS {
        let cost = measure(subject, &package, count).await;
        now.insert(subject.function.to_owned(), cost);
    }
    let over = over(&now);
    print!("{}{over}", write(&now));
    if arguments.write {
        fs::write(&arguments.page, replace(&page, &now))?;
        return Ok(ExitCode::SUCCESS);
    }
    let rises = rises(&read(&page), &now);
    print!("{rises}");
    if rises.is_empty() && over.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    println!(
        "hint: `make budgets` accepts a rise that is worth its price; bounds are in benches/src/table.rs"
    );
    Ok(ExitCode::FAILURE)
}
