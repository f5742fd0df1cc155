package cloud

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// problem is an error body of the API: {"id":…,"message":…,"request_id":…}.
type problem struct {
	status  int
	ID      string `json:"id"`
	Message string `json:"message"`
	Request string `json:"request_id"`
}

func (p *problem) Error() string { return fmt.Sprintf("%d %s: %s", p.status, p.ID, p.Message) }

func notFound() error {
	return &problem{
		status: http.StatusNotFound, ID: "not_found",
		Message: "The resource you were accessing could not be found.",
	}
}

func unprocessable(format string, a ...any) error {
	return &problem{
		status: http.StatusUnprocessableEntity, ID: "unprocessable_entity",
		Message: fmt.Sprintf(format, a...),
	}
}

// statusProblem is what the API answers with a status that does not come from its own logic.
func statusProblem(status int) *problem {
	p := &problem{status: status, ID: "server_error", Message: "Unexpected server-side error"}
	switch status {
	case http.StatusUnauthorized:
		p.ID, p.Message = "Unauthorized", "Unable to authenticate you" //nolint:misspell // the API's own word
	case http.StatusForbidden:
		p.ID, p.Message = "forbidden", "You are not authorized to perform this operation"
	case http.StatusNotFound:
		p.ID, p.Message = "not_found", "The resource you were accessing could not be found."
	case http.StatusUnprocessableEntity:
		p.ID, p.Message = "unprocessable_entity", "The request could not be processed."
	case http.StatusTooManyRequests:
		p.ID, p.Message = "too_many_requests", "API Rate limit exceeded."
	case http.StatusServiceUnavailable:
		p.ID, p.Message = "service_unavailable", "Service Unavailable"
	}
	return p
}

// caller is the client of a request: a token and what it may do.
type caller struct {
	token  string
	scopes []string
}

func (c caller) may(scope string) bool {
	return slices.Contains(c.scopes, AllScopes) || slices.Contains(c.scopes, scope)
}

// endpoint answers one request with a status and a value for the JSON body, or with an error.
type endpoint func(c *Cloud, who caller, r *http.Request) (status int, body any, err error)

// routes is the served part of the v2 API. {family} is expanded to the words of family.
var routes = []struct {
	pattern, scope string
	serve          endpoint
}{
	{"GET /v2/droplets", ScopeDropletRead, listDroplets},
	{"GET /v2/droplets/{id}", ScopeDropletRead, getDroplet},
	{"GET /v2/droplets/{id}/actions", ScopeDropletRead, listDropletActions},
	{"POST /v2/droplets/{id}/actions", ScopeDropletUpdate, postDropletAction},
	{"GET /v2/droplets/{droplet}/actions/{id}", ScopeDropletRead, getDropletAction},
	{"GET /v2/actions/{id}", ScopeActionRead, getAction},
	{"GET /v2/{family}", ScopeIPRead, listIPs},
	{"GET /v2/{family}/{ip}", ScopeIPRead, getIP},
	{"GET /v2/{family}/{ip}/actions", ScopeIPRead, listIPActions},
	{"POST /v2/{family}/{ip}/actions", ScopeIPUpdate, postIPAction},
	{"GET /v2/{family}/{ip}/actions/{id}", ScopeIPRead, getIPAction},
}

// API serves the v2 API at /v2/….
func (c *Cloud) API() http.Handler {
	mux := http.NewServeMux()
	for _, route := range routes {
		if !strings.Contains(route.pattern, "{family}") {
			mux.Handle(route.pattern, c.serve(route.scope, route.serve))
			continue
		}
		for _, f := range families {
			mux.Handle(strings.Replace(route.pattern, "{family}", f.path, 1),
				c.serve(route.scope, f.bind(route.serve)))
		}
	}
	mux.Handle("/",
		c.serve("",
			func(*Cloud, caller, *http.Request) (int, any, error) { return 0, nil, notFound() }))
	return mux
}

func (c *Cloud) serve(scope string, serve endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		c.requests++
		c.mu.Unlock()
		if c.disturbed(w, r) {
			return
		}
		who, err := c.authenticate(r)
		if err != nil {
			answer(w, 0, nil, err)
			return
		}
		if c.limit(w.Header(), who.token) {
			answer(w, 0, nil, statusProblem(http.StatusTooManyRequests))
			return
		}
		if scope != "" && !who.may(scope) {
			answer(w, 0, nil, statusProblem(http.StatusForbidden))
			return
		}
		status, body, err := serve(c, who, r)
		if f, ok := c.take(LostAnswer, r); ok {
			if f.Status == 0 {
				f.Status = http.StatusBadGateway
			}
			status, body, err = 0, nil, statusProblem(f.Status)
		}
		answer(w, status, body, err)
	})
}

// disturbed applies the faults that come before the API's own logic; true if the request is
// finished.
func (c *Cloud) disturbed(w http.ResponseWriter, r *http.Request) bool {
	if f, ok := c.take(Latency, r); ok && !sleep(r.Context(), f.Delay) {
		return true
	}
	if _, ok := c.take(Drop, r); ok {
		panic(http.ErrAbortHandler) // net/http's way to close a connection without an answer
	}
	c.mu.Lock()
	hangs := c.faulty(Hang, r.Method+" "+r.URL.Path) != nil
	c.mu.Unlock()
	if hangs {
		// net/http notices that the client has gone only once the request has been read.
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err != nil || !c.hang(r) {
			return true
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	f, ok := c.take(Status, r)
	if !ok {
		return false
	}
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", seconds(f.RetryAfter))
	}
	if f.Status == http.StatusTooManyRequests {
		w.Header().Set("Ratelimit-Limit", strconv.Itoa(c.opts.Hourly))
		w.Header().Set("Ratelimit-Remaining", "0")
		w.Header().Set("Ratelimit-Reset",
			strconv.FormatInt(c.opts.Now().Add(f.RetryAfter).Unix(), 10))
	}
	answer(w, 0, nil, statusProblem(f.Status))
	return true
}

// hang holds the request until its client has gone (false) or the fault has been cleared. A hang
// with a count is used up by the request, which then hangs until its client gives up.
func (c *Cloud) hang(r *http.Request) bool {
	f, ok := c.take(Hang, r)
	if ok && f.Count > 0 {
		<-r.Context().Done()
		return false
	}
	return c.wait(r.Context(), Hang, r.Method+" "+r.URL.Path)
}

func (c *Cloud) authenticate(r *http.Request) (caller, error) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || token == "" {
		return caller{}, statusProblem(http.StatusUnauthorized)
	}
	if len(c.opts.Tokens) == 0 {
		return caller{token, []string{AllScopes}}, nil
	}
	scopes, ok := c.opts.Tokens[token]
	if !ok {
		return caller{}, statusProblem(http.StatusUnauthorized)
	}
	return caller{token, scopes}, nil
}

func answer(w http.ResponseWriter, status int, body any, err error) {
	id := requestID()
	if err != nil {
		var p *problem
		if !errors.As(err, &p) {
			p = statusProblem(http.StatusInternalServerError)
			p.Message = err.Error()
		}
		p.Request = id
		status, body = p.status, p
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("X-Request-Id", id)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client has gone: nobody to tell
}

// page cuts a list as the API does (?page=1&per_page=20, at most 200) and makes the "links" and
// "meta" that go with it.
func page[T any](r *http.Request, all []T) (shown []T, links, meta map[string]any) {
	number, size := 1, 20
	if n, err := strconv.Atoi(r.FormValue("page")); err == nil && n > 0 {
		number = n
	}
	if n, err := strconv.Atoi(r.FormValue("per_page")); err == nil && n > 0 {
		size = min(n, 200)
	}
	last := max(1, (len(all)+size-1)/size)
	from := min(len(all), (number-1)*size)
	shown = append([]T{}, all[from:min(len(all), from+size)]...)
	pages := map[string]string{}
	at := func(n int) string {
		u := url.URL{Scheme: "https", Host: r.Host, Path: r.URL.Path}
		u.RawQuery = url.Values{
			"page": {strconv.Itoa(n)}, "per_page": {strconv.Itoa(size)},
		}.Encode()
		return u.String()
	}
	if number < last {
		pages["next"], pages["last"] = at(number+1), at(last)
	}
	if number > 1 {
		pages["first"], pages["prev"] = at(1), at(number-1)
	}
	links = map[string]any{}
	if len(pages) > 0 {
		links["pages"] = pages
	}
	return shown, links, map[string]any{"total": len(all)}
}
