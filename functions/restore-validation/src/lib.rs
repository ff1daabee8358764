//! Says of every restore test whether it brought back what it should.
