// Package inventory says which HAProxies and floating addresses a cluster's configuration has, and
// what they demand of each node.
//
// Which resource is HAProxy, which is hawser's to reload, which is an address, and which address
// two nodes can hold at once is decided here and nowhere else. It reads a CIB, and of this node the
// files of HAProxy's configuration; it asks nobody and imports crm, contract, param, haproxy and
// internal packages. Start with kinds.go.
package inventory
