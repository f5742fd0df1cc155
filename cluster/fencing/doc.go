// Package fencing judges what fences an unreachable node, and what may be held twice without that.
//
// Review is the judgement, a pure function of hawser.yaml, a plan and Facts; Facts.Gather asks for
// what it needs. Try has the fence agent show that it can do what it will have to do. It imports
// config, crm and leaves of internal; what only the host knows (SBD's files, Corosync, the cloud)
// is given to it. Open review.go first.
package fencing
