package ocf

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// callVariables lists the variables of a call's environment, besides its parameters, that say what
// it is about and where its log goes.
var callVariables = []string{
	"OCF_RESOURCE_INSTANCE", nodeVariable, "HAWSER_RUNDIR", "HA_LOGFILE", "HA_LOGFACILITY",
}

// nodeVariable has the node's name in the environment of a call.
const nodeVariable = "OCF_RESKEY_CRM_meta_on_node"

// Environ returns the environment that makes the same call again, "NAME=value", for a process that
// outlives the call. It includes the agent's parameters, even secret ones.
func (c *Call) Environ(a *Agent) []string {
	names := slices.Clone(callVariables)
	for _, p := range a.Params {
		for _, name := range append([]string{p.Name}, p.Aliases...) {
			names = append(names, "OCF_RESKEY_"+name)
		}
	}
	var env []string
	for _, name := range names {
		value := c.getenv(name)
		if name == nodeVariable && c.named {
			value = c.Node
		}
		if value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// NodeEntry returns the entry with which an environment says the node's name.
func NodeEntry(node string) string { return nodeVariable + "=" + node }

// Getenv looks a variable up in an environment as Environ returns it.
func Getenv(environ []string) func(string) string {
	return func(name string) string {
		for _, entry := range environ {
			if value, ok := strings.CutPrefix(entry, name+"="); ok {
				return value
			}
		}
		return ""
	}
}

// Bind reads the parameters of env as Act does, for work beside the actions that needs no lock. The
// context carries the call, whose log has the action's name, Args[1].
func (a *Agent) Bind(ctx context.Context, env Env) (context.Context, error) {
	if len(env.Args) < 2 {
		return nil, Errorf(ErrArgs, "Bind needs the action's name")
	}
	call, err := newCall(a, env.Args[1], env)
	if err == nil {
		err = a.bind(call)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", env.Args[1], err)
	}
	return context.WithValue(ctx, callKey{}, call), nil
}

// Act does something to the resource that is not one of Pacemaker's actions, in the same way: with
// the parameters of env, under the lock of the instance, within the time. The action's name,
// Args[1], is for the log. Unlike Main it returns what do returned.
func (a *Agent) Act(ctx context.Context, env Env, timeout time.Duration,
	do func(context.Context) error) error {
	if len(env.Args) < 2 {
		return Errorf(ErrArgs, "Act needs the action's name")
	}
	began := time.Now()
	call, err := newCall(a, env.Args[1], env)
	if err != nil {
		return fmt.Errorf("%s: %w", env.Args[1], err)
	}
	call.Timeout = timeout
	if err := a.bind(call); err != nil {
		return fmt.Errorf("%s: %w", env.Args[1], err)
	}
	return within(ctx, call, began, hooks{},
		func(ctx context.Context, _ *Call) error { return do(ctx) })
}
