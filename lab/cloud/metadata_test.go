package cloud_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/lab/cloud"
)

func TestMetadata(t *testing.T) {
	s := newStage(t, cloud.Options{})
	srv := httptest.NewServer(s.Metadata(1))
	t.Cleanup(srv.Close)
	get := func(path string) (int, string) {
		resp, err := http.Get(srv.URL + path)
		require.NoError(t, err)
		defer func() { require.NoError(t, resp.Body.Close()) }()
		b, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(b)
	}
	for path, want := range map[string]string{
		"id": "1", "hostname": "lb-1", "region": "nyc3",
		"reserved_ip/ipv4/active": "true", "reserved_ip/ipv4/ip_address": "203.0.113.10",
		"floating_ip/ipv4/active": "true", "floating_ip/ipv4/ip_address": "203.0.113.10",
		"reserved_ip/ipv6/active":                 "false",
		"interfaces/public/0/anchor_ipv4/address": "10.17.0.5", "interfaces/public/0/anchor_ipv4/netmask": "255.255.0.0",
		"interfaces/public/0/anchor_ipv4/gateway": "10.17.0.1", "interfaces/private/0/ipv4/address": "10.132.0.11",
		"interfaces/public/0/ipv4/address": "198.51.100.11", "interfaces/public/0/ipv6/address": "2001:db8::11",
		"interfaces/": "private/\npublic/", "reserved_ip/ipv4/": "active\nip_address",
	} {
		code, body := get("/metadata/v1/" + path)
		require.Equal(t, http.StatusOK, code, path)
		require.Equal(t, want, body, path)
	}
	code, _ := get("/metadata/v1/reserved_ip/ipv6/ip_address")
	require.Equal(t, http.StatusNotFound, code)
	code, _ = get("/metadata/v1/id/more")
	require.Equal(t, http.StatusNotFound, code)
	_, index := get("/metadata/v1/")
	require.Contains(t, index, "id\n")

	var doc struct {
		DropletID  int `json:"droplet_id"`
		ReservedIP struct {
			IPv4 struct {
				Active bool       `json:"active"`
				IP     netip.Addr `json:"ip_address"`
			} `json:"ipv4"`
		} `json:"reserved_ip"`
		Interfaces struct {
			Public []struct {
				Anchor struct {
					IP netip.Addr `json:"ip_address"`
				} `json:"anchor_ipv4"`
			} `json:"public"`
		} `json:"interfaces"`
	}
	_, body := get("/metadata/v1.json")
	require.NoError(t, json.Unmarshal([]byte(body), &doc))
	require.Equal(t, 1, doc.DropletID)
	require.True(t, doc.ReservedIP.IPv4.Active)
	require.Equal(t, ip4, doc.ReservedIP.IPv4.IP)
	require.Equal(t, "10.17.0.5", doc.Interfaces.Public[0].Anchor.IP.String())

	require.NoError(t, s.Move(ip4, 2))
	_, active := get("/metadata/v1/reserved_ip/ipv4/active")
	require.Equal(t, "false", active)

	s.SetFault(cloud.Fault{Kind: cloud.MetadataStale})
	require.NoError(t, s.Move(ip4, 1))
	_, active = get("/metadata/v1/reserved_ip/ipv4/active")
	require.Equal(t, "false", active, "stale")
	s.ClearFaults()
	_, active = get("/metadata/v1/reserved_ip/ipv4/active")
	require.Equal(t, "true", active)

	s.SetFault(cloud.Fault{Kind: cloud.MetadataStatus, Count: 1})
	code, _ = get("/metadata/v1/id")
	require.Equal(t, http.StatusInternalServerError, code)
	s.SetFault(cloud.Fault{Kind: cloud.MetadataHang})
	_, err := (&http.Client{Timeout: 50 * time.Millisecond}).Get(srv.URL + "/metadata/v1/id") //nolint:bodyclose // no response comes
	require.Error(t, err)
}

func TestAdmin(t *testing.T) {
	s := newStage(t, cloud.Options{})
	path := filepath.Join(t.TempDir(), "admin.sock")
	l, err := net.Listen("unix", path)
	require.NoError(t, err)
	srv := &http.Server{Handler: s.Admin(), ReadHeaderTimeout: time.Second}
	go func() { _ = srv.Serve(l) }() // ends with Close
	t.Cleanup(func() { _ = srv.Close() })
	c, ctx := cloud.Client{Socket: path}, context.Background()

	require.NoError(t, c.SetFault(ctx, cloud.Fault{Kind: cloud.Status, Status: 500, Count: 3}))
	require.NoError(t, c.SetActionTime(ctx, time.Minute))
	require.NoError(t, c.Move(ctx, ip4, 2))
	state, err := c.State(ctx)
	require.NoError(t, err)
	require.Equal(t, time.Minute, state.ActionTime)
	require.Equal(t, []cloud.Fault{{Kind: cloud.Status, Status: 500, Count: 3}}, state.Faults)
	require.Equal(t, 2, state.Reserved[0].Droplet)
	require.Len(t, state.Droplets, 3)
	require.NoError(t, c.ClearFaults(ctx, cloud.Status))
	state, err = c.State(ctx)
	require.NoError(t, err)
	require.Empty(t, state.Faults)

	require.ErrorContains(t, c.SetFault(ctx, cloud.Fault{Kind: "gremlins"}), "there are")
	require.ErrorContains(t, c.Move(ctx, netip.MustParseAddr("203.0.113.99"), 1), "no such reserved address")
	_, err = cloud.Client{Socket: path + ".none"}.State(ctx)
	require.ErrorContains(t, err, path+".none")
}
