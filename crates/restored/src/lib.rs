//! What a restore test brought back, as the services that hold data tell it.
