package main

import (
	"github.com/hawser-ha/hawser/crm"
)

// askingOnce is the same system with a cluster that is asked each thing once.
func (s *system) askingOnce() (*system, *crm.Once) {
	asking, cluster := *s, crm.NewOnce(s.Cluster)
	asking.Cluster = cluster
	return &asking, cluster
}
