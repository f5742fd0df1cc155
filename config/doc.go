// Package config reads hawser.yaml, which says what the cluster should run, and checks it without a
// cluster: every fault of a file is reported at once, each with its line and column.
//
// It decides nothing about a cluster and opens no file but hawser.yaml itself. Of hawser's packages
// it may import those that both sides of the cluster's configuration share: ocf, contract and param.
//
// Open file.go first: File is what comes out. yaml.go walks the document, values.go has the kinds
// of values, fencing.go the section of that name, and keys.go the documentation of the keys.
package config
