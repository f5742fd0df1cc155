// Package fencing judges what fences an unreachable node, and what two nodes may hold at once if
// nothing does.
//
// Review is the judgement, a pure function of hawser.yaml, a plan and Facts; Facts.Gather collects
// what it needs. Try checks with the fence agent itself that it will be able to fence. It imports
// config, crm and leaves of internal; what only the host knows (SBD's files, Corosync, the cloud)
// is given to it. Open review.go first.
package fencing
