// Package corosync is what hawser knows about Corosync: what a corosync.conf means and what to
// write into one, how long its membership protocol takes to give up a dead node, how it counts
// votes, and what the Corosync of this node answers.
//
// Of ours it imports internal/procfs alone. Every other program is run by exec.go.
//
// Open write.go first for the file that hawser writes, compare.go for how another file differs from
// it, conf.go for reading one, and timing.go for the times.
package corosync
