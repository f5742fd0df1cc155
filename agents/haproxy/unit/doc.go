// Package unit is what a systemd unit says about the HAProxy that it would start: what it reads,
// what is run beside it, and to whom its sockets belong. The cluster's HAProxy is not started by it:
// the launcher here becomes HAProxy with the unit's settings.
//
// It imports contract, ocf, param, haproxy and leaves of internal. Open missing.go first.
package unit
