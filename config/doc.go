// Package config reads hawser.yaml, which says what the cluster should run, and checks it without a
// cluster: all faults of a file are reported at once, each with its line and column.
//
// It decides nothing about a cluster and opens no file but hawser.yaml itself. Of hawser's packages
// it may import those that both sides of the cluster's configuration share: contract and param.
//
// Open key.go and haproxy.go first: each key of the file is declared once, in a table for each
// section (haproxy.go, address.go, fencing.go), and everything else is made of these tables. File
// in file.go is what comes out. kind.go has the kinds of values and yaml.go walks the document;
// text.go makes the help and the reference page, schema.go the JSON Schema. same.go says which
// texts of a parameter mean the same.
package config
