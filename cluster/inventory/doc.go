// Package inventory says which HAProxies and floating addresses a cluster's configuration has, and
// what they demand of each node.
//
// Which resource is HAProxy, which is hawser's to reload, which is an address, and which address
// two nodes can hold at once is decided only here. It reads a CIB, and HAProxy's configuration
// files on this node; it asks no service and imports crm, contract, param, haproxy and internal
// packages. Start with kinds.go.
package inventory
