// Package crm is Pacemaker's configuration as Go types. A desired set of objects is compared with
// the cluster's configuration (Diff), the difference is shown and simulated by Pacemaker's own
// scheduler (Cluster.Check), and written as one versioned patch (Cluster.Apply) that either lands
// whole or not at all.
//
//	cib, err := cluster.Query(ctx)
//	plan, err := crm.Diff(cib, crm.Spec{Objects: wanted, Tag: "hawser"})
//	forecast, err := cluster.Check(ctx, plan)  // what the scheduler would do; nothing is written
//	err = cluster.Apply(ctx, plan)             // ErrStale: somebody else wrote meanwhile, query again
//	err = cluster.Wait(ctx, nil)               // until no action is pending
//
// Tools drives Pacemaker's command line tools, as crmsh and pcs do; crmtest.Fake keeps a
// configuration in memory and behaves the same. What the package does not model is kept as it was
// read.
//
// Of ours it imports param, and the leaves command, once and outcome of internal. Open cluster.go
// first for what a cluster can be asked, object.go for what a configuration has, tools.go for how
// Pacemaker's tools are used.
package crm
