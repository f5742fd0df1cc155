// Package contract is what the two sides of the cluster's configuration have in common: the command
// line, which writes it, and the agents, which run by it. It has the ids of objects, the names of
// the agents, of their parameters and defaults, the node attributes by which nodes report, each as
// a type that can be written and parsed, how a configuration travels through the CIB, and the files
// and sockets of an instance.
//
// Installed versions meet here: during an upgrade one node's command line reads what another node's
// older agent wrote. A parser skips what it does not know, and whatever was once written stays
// understood.
//
// It imports nothing of hawser. Start reading in ids.go for what is written to the CIB, in
// attributes.go for what comes back.
package contract
