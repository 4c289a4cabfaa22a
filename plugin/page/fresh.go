package page

import (
	"sync"
	"time"
)

// freshFor is how long a response is given again. A page takes about as long
// to make as a hundred queries take to answer: however often it is asked for,
// and by however many, this is the server's share in it.
const freshFor = time.Second

// fresh holds the responses made last. Its keys are the handler's own paths,
// so that it is as bounded as they are.
type fresh struct {
	mu        sync.Mutex
	responses map[string]response
}

type response struct {
	at   time.Time
	body []byte
}

// get returns the response under key, made anew by one caller at a time if it
// is too old.
func (f *fresh) get(key string, now func() time.Time, produce func() ([]byte, error)) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r, ok := f.responses[key]; ok && now().Sub(r.at).Abs() < freshFor {
		return r.body, nil
	}
	body, err := produce()
	if err != nil {
		return nil, err
	}
	if f.responses == nil {
		f.responses = make(map[string]response)
	}
	f.responses[key] = response{now(), body}
	return body, nil
}
