// Package crmtest is a cluster in memory for tests of what is built on crm.
package crmtest

import (
	"context"

	"github.com/hawser-ha/hawser/crm"
)

// Fake is a crm.Cluster that keeps its configuration in memory. It checks plans as Pacemaker does, writes all of a plan or nothing, and
// starts what is configured at once.
type Fake struct{}

// New returns a cluster with the nodes and an empty configuration.
func New(nodes ...string) *Fake { panic("not yet") }

// Fail makes the named method ("Query", "Check", "Apply", "Wait", "Status") return the error at its next call.
func (f *Fake) Fail(method string, err error) { panic("not yet") }

// Edit changes the configuration behind the caller's back, as another administrator would.
func (f *Fake) Edit(objects ...crm.Object) error { panic("not yet") }

// Applied counts the plans that were written.
func (f *Fake) Applied() int { panic("not yet") }

// FailResource makes the resource fail to start wherever the cluster starts it, with the agent's exit reason.
func (f *Fake) FailResource(id, reason string) { panic("not yet") }

// Query implements crm.Cluster.
func (f *Fake) Query(ctx context.Context) (*crm.CIB, error) { panic("not yet") }

// Check implements crm.Cluster.
func (f *Fake) Check(ctx context.Context, p crm.Plan) (crm.Forecast, error) { panic("not yet") }

// Apply implements crm.Cluster.
func (f *Fake) Apply(ctx context.Context, p crm.Plan) error { panic("not yet") }

// Wait implements crm.Cluster.
func (f *Fake) Wait(ctx context.Context, progress func(crm.Progress)) error { panic("not yet") }

// Status implements crm.Cluster.
func (f *Fake) Status(ctx context.Context) (*crm.Status, error) { panic("not yet") }

var _ crm.Cluster = (*Fake)(nil)
