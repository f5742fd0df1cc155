package main

import (
	"context"
	"errors"

	"github.com/hawser-ha/hawser/crm"
)

// askedOnce is a cluster of which each thing is asked once, for all checks: where Pacemaker hangs, each question takes until its deadline.
type askedOnce struct {
	crm.Cluster
	cib    once[*crm.CIB]
	status once[*crm.Status]
	told   once[map[string]string]
}

// once is the answer to one question.
type once[T any] struct {
	turn  chan struct{}
	asked bool
	value T
	err   error
}

func newOnce[T any]() once[T] { return once[T]{turn: make(chan struct{}, 1)} }

// get asks, or waits for whoever asks already.
func (o *once[T]) get(ctx context.Context, ask func(context.Context) (T, error)) (T, error) {
	select {
	case o.turn <- struct{}{}:
		defer func() { <-o.turn }()
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
	if !o.asked {
		o.value, o.err = ask(ctx)
		o.asked = true
	}
	return o.value, o.err
}

// askingOnce is the same system with such a cluster.
func (s *system) askingOnce() (*system, *askedOnce) {
	asking, cluster := *s, &askedOnce{s.cluster, newOnce[*crm.CIB](), newOnce[*crm.Status](), newOnce[map[string]string]()}
	asking.cluster = cluster
	return &asking, cluster
}

// Query implements crm.Cluster.
func (a *askedOnce) Query(ctx context.Context) (*crm.CIB, error) {
	return a.cib.get(ctx, a.Cluster.Query)
}

// Status implements crm.Cluster.
func (a *askedOnce) Status(ctx context.Context) (*crm.Status, error) {
	return a.status.get(ctx, a.Cluster.Status)
}

// Private implements privateAttributes: the doctor reads no other one than its own.
func (a *askedOnce) Private(ctx context.Context, name string) (map[string]string, error) {
	attributes, ok := a.Cluster.(privateAttributes)
	if !ok {
		return nil, errNoAttributes
	}
	return a.told.get(ctx, func(ctx context.Context) (map[string]string, error) { return attributes.Private(ctx, name) })
}

// SetPrivate implements privateAttributes.
func (a *askedOnce) SetPrivate(ctx context.Context, name, value string) error {
	attributes, ok := a.Cluster.(privateAttributes)
	if !ok {
		return errNoAttributes
	}
	return attributes.SetPrivate(ctx, name, value)
}

// Advertised implements doctor.PacemakerCluster.
func (a *askedOnce) Advertised(ctx context.Context, name string) ([]crm.AgentAction, error) {
	if tools, ok := a.Cluster.(*crm.Tools); ok {
		return tools.Advertised(ctx, name)
	}
	return nil, errors.New("the agents of this cluster cannot be asked")
}

var errNoAttributes = errors.New("this cluster has no private attributes")
