package corefiles

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
)

// lists are what kubernetes asks the API of a cluster for: the Service web in the
// namespace prod, with one host behind it, and the Service new-web. Rewrite may make
// the names of new-web and of the host. All have an IPv4 and an IPv6 address.
var lists = map[string]string{
	"/api/v1/namespaces":                       list("Namespace", "v1", `{"metadata":{"name":"prod","uid":"1","resourceVersion":"1"}}`),
	"/api/v1/services":                         list("Service", "v1", service("web", 2)+","+service("new-web", 3)),
	"/apis/discovery.k8s.io/v1/endpointslices": list("EndpointSlice", "discovery.k8s.io/v1", slice("web", "IPv4", address(most))+","+slice("web", "IPv6", address6(most))),
}

func service(name string, uid int) string {
	return fmt.Sprintf(`{"metadata":{"name":%[1]q,"namespace":"prod","uid":"%[2]d","resourceVersion":"1"},`+
		`"spec":{"type":"ClusterIP","clusterIP":%[3]q,"clusterIPs":[%[3]q,%[4]q],"ports":[{"name":"http","port":80,"protocol":"TCP"}]}}`, name, uid, address(most), address6(most))
}

// slice is of the host new behind a Service. Each family of addresses has its own.
func slice(service, family, address string) string {
	return fmt.Sprintf(`{"metadata":{"name":"%[1]s-%[2]s","namespace":"prod","uid":%[2]q,"resourceVersion":"1","labels":{"kubernetes.io/service-name":%[1]q}},`+
		`"addressType":%[2]q,"ports":[{"name":"http","port":80,"protocol":"TCP"}],`+
		`"endpoints":[{"addresses":[%[3]q],"hostname":"new","conditions":{"ready":true}}]}`, service, family, address)
}

func list(kind, version, items string) string {
	return fmt.Sprintf(`{"kind":"%sList","apiVersion":%q,"metadata":{"resourceVersion":"1"},"items":[%s]}`, kind, version, items)
}

// startCluster plays the API of a cluster in which nothing changes, for all Corefiles.
func startCluster(t *testing.T) string {
	t.Helper()
	ended := make(chan struct{})
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch asked := r.URL.Query(); {
		case lists[r.URL.Path] == "":
			http.Error(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}`, http.StatusNotFound)
		case asked.Get("sendInitialEvents") == "true": // lists do not come as streams here
			http.Error(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Invalid","code":422}`, http.StatusUnprocessableEntity)
		case asked.Has("watch"):
			_ = http.NewResponseController(w).Flush()
			select {
			case <-ended:
			case <-r.Context().Done():
			}
		default:
			_, _ = w.Write([]byte(lists[r.URL.Path]))
		}
	}))
	t.Cleanup(func() { close(ended); api.Close() })
	return api.URL
}
