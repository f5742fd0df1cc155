package cloud_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/digitalocean/godo"
	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/lab/cloud"
)

func (s *stage) droplet(t *testing.T, id int) *godo.Droplet {
	t.Helper()
	d, _, err := s.client(t, "any").Droplets.Get(context.Background(), id)
	require.NoError(t, err)
	return d
}

func TestPowerActions(t *testing.T) {
	s := newStage(t, cloud.Options{})
	c, ctx := s.client(t, "any"), context.Background()
	act := c.DropletActions
	busy := func() bool {
		actions, _, err := c.Droplets.Actions(ctx, 1, nil)
		require.NoError(t, err)
		return len(actions) > 0 && actions[0].Status == godo.ActionInProgress
	}
	status := func(want string) {
		t.Helper()
		s.eventually(t, want, func() bool { return s.droplet(t, 1).Status == want && !busy() })
	}
	status("active")
	s.SetFault(cloud.Fault{Kind: cloud.ActionStuck}) // so that it is seen under way
	a, _, err := act.PowerOff(ctx, 1)
	require.NoError(t, err)
	require.Equal(t, "power_off", a.Type)
	require.Equal(t, "in-progress", a.Status)
	require.Equal(t, "droplet", a.ResourceType)
	require.Equal(t, 1, a.ResourceID)
	require.True(t, busy())
	require.False(t, s.droplet(t, 1).Locked, "which is for locks of the cloud's own")
	_, _, err = act.PowerOn(ctx, 1)
	require.Contains(t, refused(t, err, 422).Message, "pending event")
	s.ClearFaults(cloud.ActionStuck)
	status("off")
	require.Equal(t, "active", s.droplet(t, 2).Status)
	a, _, err = act.Get(ctx, 1, a.ID)
	require.NoError(t, err)
	require.Equal(t, "completed", a.Status)
	_, _, err = act.Get(ctx, 2, a.ID)
	refused(t, err, 404)

	for _, refusedWhileOff := range []func(context.Context, int) (*godo.Action, *godo.Response, error){act.PowerOff, act.PowerCycle, act.Reboot, act.Shutdown} {
		_, _, err = refusedWhileOff(ctx, 1)
		require.Contains(t, refused(t, err, 422).Message, "already powered off")
	}
	_, _, err = act.PowerOn(ctx, 1)
	require.NoError(t, err)
	status("active")
	_, _, err = act.PowerOn(ctx, 1)
	require.Contains(t, refused(t, err, 422).Message, "already powered on")
	_, _, err = act.PowerCycle(ctx, 1)
	require.NoError(t, err)
	status("active")
	_, _, err = act.Shutdown(ctx, 1)
	require.NoError(t, err)
	status("off")
	actions, _, err := c.Droplets.Actions(ctx, 1, nil)
	require.NoError(t, err)
	require.Len(t, actions, 4)
	require.Equal(t, "shutdown", actions[0].Type)
	_, _, err = act.PowerOff(ctx, 77)
	refused(t, err, 404)
	_, _, err = c.Droplets.Actions(ctx, 77, nil)
	refused(t, err, 404)
	require.ErrorContains(t, s.SetPower(77, true), "there is none")
}

func TestPowerScopes(t *testing.T) {
	s := newStage(t, cloud.Options{Tokens: map[string][]string{"reads": {cloud.ScopeDropletRead}, "writes": {cloud.ScopeDropletUpdate}}})
	ctx := context.Background()
	_, _, err := s.client(t, "reads").DropletActions.PowerOff(ctx, 1)
	refused(t, err, 403)
	_, _, err = s.client(t, "writes").Droplets.Get(ctx, 1)
	refused(t, err, 403)
	_, _, err = s.client(t, "writes").DropletActions.PowerOff(ctx, 1)
	require.NoError(t, err)
}

func TestPowerFaults(t *testing.T) {
	ctx := context.Background()
	for kind, want := range map[cloud.Kind]string{cloud.ActionError: "errored", cloud.ActionIdle: "completed"} {
		s := newStage(t, cloud.Options{})
		s.SetFault(cloud.Fault{Kind: kind, Count: 1})
		c := s.client(t, "any")
		a, _, err := c.DropletActions.PowerOff(ctx, 1)
		require.NoError(t, err)
		s.eventually(t, want, func() bool {
			now, _, err := c.Actions.Get(ctx, a.ID)
			require.NoError(t, err)
			return now.Status == want
		})
		require.Equal(t, "active", s.droplet(t, 1).Status, kind)
		require.False(t, s.droplet(t, 1).Locked)
		_, _, err = c.DropletActions.PowerOff(ctx, 1)
		require.NoError(t, err)
		s.eventually(t, "off", func() bool { return s.droplet(t, 1).Status == "off" })
	}
	s := newStage(t, cloud.Options{})
	s.SetFault(cloud.Fault{Kind: cloud.Locked})
	require.True(t, s.droplet(t, 1).Locked)
	_, _, err := s.client(t, "any").DropletActions.PowerOff(ctx, 1)
	refused(t, err, 422)
}

func TestDropletsByNameAndTag(t *testing.T) {
	s := newStage(t, cloud.Options{})
	s.AddDroplet(cloud.Droplet{ID: 10, Name: "web", Tags: []string{"front", "eu"}})
	s.AddDroplet(cloud.Droplet{ID: 11, Name: "WEB", Off: true, Tags: []string{"Front"}})
	c, ctx := s.client(t, "any"), context.Background()
	named, _, err := c.Droplets.ListByName(ctx, "web", nil)
	require.NoError(t, err)
	require.Len(t, named, 2, "the API's filter is blind to case")
	require.Equal(t, "off", named[1].Status)
	tagged, _, err := c.Droplets.ListByTag(ctx, "eu", nil)
	require.NoError(t, err)
	require.Len(t, tagged, 1)
	require.Equal(t, []string{"front", "eu"}, tagged[0].Tags)
	s.RemoveDroplet(10)
	_, _, err = c.Droplets.Get(ctx, 10)
	refused(t, err, 404)
}

// rack is Machines, one of which cannot be cut.
type rack struct {
	mu  sync.Mutex
	off map[int]bool
}

func (r *rack) set(droplet int, off bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if droplet == 9 {
		return errors.New("the switch is stuck")
	}
	r.off[droplet] = off
	return nil
}

func (r *rack) Running(droplet int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.off[droplet]
}
func (r *rack) Cut(droplet int) error      { return r.set(droplet, true) }
func (r *rack) Boot(droplet int) error     { return r.set(droplet, false) }
func (r *rack) Shutdown(droplet int) error { return r.set(droplet, true) }

func TestDropletsReadAsTheirMachinesAre(t *testing.T) {
	s := newStage(t, cloud.Options{ActionTime: time.Millisecond})
	machines := &rack{off: map[int]bool{}}
	s.OnMachines(machines)
	c, ctx := s.client(t, "any"), context.Background()
	_, _, err := c.DropletActions.PowerOff(ctx, 1)
	require.NoError(t, err)
	s.eventually(t, "cut", func() bool { return !machines.Running(1) })
	require.NoError(t, machines.Boot(1)) // by hand, without a word to the cloud
	s.eventually(t, "on again", func() bool { d := s.droplet(t, 1); return d.Status == "active" && !d.Locked })
	require.ErrorContains(t, s.SetPower(1, false), "it runs on a machine; switch that")

	a, _, err := c.DropletActions.PowerOff(ctx, 9)
	require.NoError(t, err)
	s.eventually(t, "the machine's failure is the action's", func() bool {
		now, _, err := c.Actions.Get(ctx, a.ID)
		require.NoError(t, err)
		return now.Status == "errored"
	})
	require.Equal(t, "active", s.droplet(t, 9).Status)
}
