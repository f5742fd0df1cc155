package digitalocean

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"

	"github.com/digitalocean/godo"

	cloud "github.com/hawser-ha/hawser/internal/digitalocean"
)

// api is the part of DigitalOcean's v2 API for reserved addresses. IPv4 and IPv6 have an end point
// each, which differ in details; here they are one. No method retries.
type api struct{ *cloud.Client }

// scopes are what a token needs (https://docs.digitalocean.com/reference/api/scopes/).
const scopes = "reserved_ip:read, reserved_ip:update and droplet:read"

func newAPI(origin string, token func() (string, error)) *api {
	return &api{cloud.New(cloud.Config{
		Origin: origin, Agent: "hawser-floatip", Token: token,
		Words: cloud.Words{
			Scopes: scopes,
			NotFound: "no such reserved address (%s): check the parameter ip, and that the token " +
				"belongs to the team that reserved it",
			Busy: "the address or the droplet",
		},
	})}
}

// address is a reserved address as the API describes it.
type address struct {
	droplet string // the holder's id, "" if the API names none
	region  string // slug, "" if the API names none
	locked  bool   // another event on the address is under way
}

var errNoAddress = errors.New("the answer is not about a reserved address: is api_url the origin " +
	"of DigitalOcean's API?")

func (a *api) get(ctx context.Context, ip netip.Addr) (address, error) {
	client, err := a.Godo()
	if err != nil {
		return address{}, err
	}
	var found address
	var droplet *godo.Droplet
	if ip.Is6() {
		v6, _, err := client.ReservedIPV6s.Get(ctx, ip.String())
		if err != nil {
			return address{}, err
		}
		if v6 == nil {
			return address{}, errNoAddress
		}
		droplet, found.region = v6.Droplet, v6.RegionSlug
	} else {
		v4, _, err := client.ReservedIPs.Get(ctx, ip.String())
		if err != nil {
			return address{}, err
		}
		if v4 == nil {
			return address{}, errNoAddress
		}
		droplet, found.locked = v4.Droplet, v4.Locked
		if v4.Region != nil {
			found.region = v4.Region.Slug
		}
	}
	if droplet != nil && droplet.ID != 0 {
		found.droplet = strconv.Itoa(droplet.ID)
	}
	return found, nil
}

// list returns the reserved addresses of the account that are IPv6 (v6) or IPv4, as many as one
// answer has.
func (a *api) list(ctx context.Context, v6 bool) (ips []string, err error) {
	client, err := a.Godo()
	if err != nil {
		return nil, err
	}
	page := &godo.ListOptions{PerPage: 200}
	if v6 {
		found, _, err := client.ReservedIPV6s.List(ctx, page)
		for _, one := range found {
			ips = append(ips, one.IP)
		}
		return ips, err
	}
	found, _, err := client.ReservedIPs.List(ctx, page)
	for _, one := range found {
		ips = append(ips, one.IP)
	}
	return ips, err
}

// post orders the address to be assigned to the droplet, or unassigned if droplet is "", and
// returns the action's id.
func (a *api) post(ctx context.Context, ip netip.Addr, droplet string) (int, error) {
	client, err := a.Godo()
	if err != nil {
		return 0, err
	}
	id := 0
	if droplet != "" {
		if id, err = strconv.Atoi(droplet); err != nil {
			return 0, fmt.Errorf("%q is not a droplet's id", droplet)
		}
	}
	var action *godo.Action
	switch {
	case ip.Is6() && droplet != "":
		action, _, err = client.ReservedIPV6Actions.Assign(ctx, ip.String(), id)
	case ip.Is6():
		action, _, err = client.ReservedIPV6Actions.Unassign(ctx, ip.String())
	case droplet != "":
		action, _, err = client.ReservedIPActions.Assign(ctx, ip.String(), id)
	default:
		action, _, err = client.ReservedIPActions.Unassign(ctx, ip.String())
	}
	if err != nil || action == nil {
		return 0, err
	}
	return action.ID, nil
}

// The states of an action that matter; the third one is in-progress.
const (
	actionCompleted = godo.ActionCompleted
	actionErrored   = "errored"
)

// action returns the state of an action that post began. The API forgets the actions of some
// addresses at once (404) and fails to show those of IPv6 addresses (500), so an error here means
// nothing.
func (a *api) action(ctx context.Context, ip netip.Addr, id int) (string, error) {
	client, err := a.Godo()
	if err != nil {
		return "", err
	}
	var action *godo.Action
	if ip.Is6() {
		action, _, err = client.Actions.Get(ctx, id)
	} else {
		action, _, err = client.ReservedIPActions.Get(ctx, ip.String(), id)
	}
	if err != nil {
		return "", err
	}
	if action == nil {
		return "", errNoAddress
	}
	return action.Status, nil
}

// seesDroplets reports whether the token may read the droplet. Without that right, the scope
// droplet:read, the API answers that a reserved address has no droplet, whoever holds it.
func (a *api) seesDroplets(ctx context.Context, droplet string) (bool, error) {
	client, err := a.Godo()
	if err != nil {
		return false, err
	}
	id, err := strconv.Atoi(droplet)
	if err != nil {
		return false, fmt.Errorf("%q is not a droplet's id", droplet)
	}
	_, resp, err := client.Droplets.Get(ctx, id)
	if resp != nil && (resp.StatusCode == http.StatusForbidden ||
		resp.StatusCode == http.StatusNotFound) {
		return false, nil
	}
	return err == nil, err
}
