// Command client does with Kubernetes' own Go client what operators do with it, and tells on standard output what it saw:
// one line for each thing that worked. It ends with status 1 and a sentence at the first thing that does not.
package main

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/util/retry"
)

const namespace = "default"

func main() {
	config, err := clientcmd.BuildConfigFromFlags("", os.Args[1])
	check(err)
	config.QPS, config.Burst = 1000, 1000
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	for _, form := range []struct{ name, contentType string }{
		{"json", "application/json"},
		{"protobuf", "application/vnd.kubernetes.protobuf"},
	} {
		in := rest.CopyConfig(config)
		in.ContentType = form.contentType
		client := kubernetes.NewForConfigOrDie(in)
		written(ctx, client, form.name)
		informed(ctx, client, form.name)
	}
	client := kubernetes.NewForConfigOrDie(config)
	applied(ctx, client)
	raced(ctx, client)
	elected(ctx, client)
	refused(ctx, client)
	discovered(config)
	metadataOnly(ctx, config)
	custom(ctx, config)
}

func check(err error) {
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
}

func expect(condition bool, format string, args ...any) {
	if !condition {
		check(fmt.Errorf(format, args...))
	}
}

func saw(format string, args ...any) { fmt.Printf(format+"\n", args...) }

// written creates, reads, updates, patches and deletes.
func written(ctx context.Context, client kubernetes.Interface, form string) {
	maps := client.CoreV1().ConfigMaps(namespace)
	made, err := maps.Create(ctx, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "go-" + form + "-"},
		Data:       map[string]string{"k": "1"},
		BinaryData: map[string][]byte{"b": {0, 255}},
	}, metav1.CreateOptions{})
	check(err)
	made.Data["k"] = "2"
	updated, err := maps.Update(ctx, made, metav1.UpdateOptions{})
	check(err)
	_, err = maps.Update(ctx, made, metav1.UpdateOptions{})
	expect(apierrors.IsConflict(err), "an update of an old version: %v", err)
	patched, err := maps.Patch(ctx, updated.Name, types.StrategicMergePatchType, []byte(`{"data":{"l":"3"}}`), metav1.PatchOptions{})
	check(err)
	expect(patched.Data["k"] == "2" && patched.Data["l"] == "3" && patched.BinaryData["b"][1] == 255, "patched: %v", patched)
	check(maps.Delete(ctx, patched.Name, *metav1.NewPreconditionDeleteOptions(string(patched.UID))))
	_, err = maps.Get(ctx, patched.Name, metav1.GetOptions{})
	expect(apierrors.IsNotFound(err), "after the delete: %v", err)
	saw("%s: created, updated, patched, deleted", form)
}

// informed follows pods with a shared informer while others come and go.
func informed(ctx context.Context, client kubernetes.Interface, form string) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(namespace),
		informers.WithTweakListOptions(func(options *metav1.ListOptions) { options.LabelSelector = "by=go-" + form }))
	informer := factory.Core().V1().Secrets().Informer()
	var mutex sync.Mutex
	events := map[string]int{}
	count := func(event string) {
		mutex.Lock()
		defer mutex.Unlock()
		events[event]++
	}
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { count("added") },
		UpdateFunc: func(any, any) { count("updated") },
		DeleteFunc: func(any) { count("deleted") },
	})
	check(err)
	secrets := client.CoreV1().Secrets(namespace)
	add := func(i int) {
		_, err := secrets.Create(ctx, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("go-%s-%d", form, i), Labels: map[string]string{"by": "go-" + form}},
		}, metav1.CreateOptions{})
		check(err)
	}
	for i := range 10 {
		add(i)
	}
	factory.Start(ctx.Done())
	expect(cache.WaitForCacheSync(ctx.Done(), informer.HasSynced), "the informer does not sync")
	for i := 10; i < 20; i++ {
		add(i)
	}
	for i := range 5 {
		_, err := secrets.Patch(ctx, fmt.Sprintf("go-%s-%d", form, i), types.MergePatchType, []byte(`{"data":{"k":"dg=="}}`), metav1.PatchOptions{})
		check(err)
	}
	// One that no longer carries the label leaves the informer's world.
	_, err = secrets.Patch(ctx, fmt.Sprintf("go-%s-19", form), types.JSONPatchType, []byte(`[{"op":"remove","path":"/metadata/labels/by"}]`), metav1.PatchOptions{})
	check(err)
	check(secrets.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "by=go-" + form}))
	check(secrets.Delete(ctx, fmt.Sprintf("go-%s-19", form), metav1.DeleteOptions{}))
	for {
		mutex.Lock()
		done := events["added"] == 20 && events["updated"] == 5 && events["deleted"] == 20
		mutex.Unlock()
		if done {
			break
		}
		expect(ctx.Err() == nil, "the informer saw %v", events)
		time.Sleep(5 * time.Millisecond)
	}
	expect(len(informer.GetStore().List()) == 0, "the informer still holds objects")
	saw("%s: an informer saw 20 added, 5 updated, 20 deleted", form)
}

// applied owns fields by server-side apply, and is told when somebody else does.
func applied(ctx context.Context, client kubernetes.Interface) {
	maps := client.CoreV1().ConfigMaps(namespace)
	config := applycorev1.ConfigMap("go-applied", namespace).WithData(map[string]string{"a": "1", "b": "1"})
	_, err := maps.Apply(ctx, config, metav1.ApplyOptions{FieldManager: "first"})
	check(err)
	other := applycorev1.ConfigMap("go-applied", namespace).WithData(map[string]string{"b": "2", "c": "2"})
	_, err = maps.Apply(ctx, other, metav1.ApplyOptions{FieldManager: "second"})
	expect(apierrors.IsConflict(err), "applying another's field: %v", err)
	_, err = maps.Apply(ctx, other, metav1.ApplyOptions{FieldManager: "second", Force: true})
	check(err)
	config = applycorev1.ConfigMap("go-applied", namespace).WithData(map[string]string{"d": "1"})
	result, err := maps.Apply(ctx, config, metav1.ApplyOptions{FieldManager: "first"})
	check(err)
	expect(fmt.Sprint(result.Data) == "map[b:2 c:2 d:1]", "applied: %v", result.Data)
	extracted, err := applycorev1.ExtractConfigMap(result, "second")
	check(err)
	expect(fmt.Sprint(extracted.Data) == "map[b:2 c:2]", "extracted: %v", extracted.Data)
	check(maps.Delete(ctx, "go-applied", metav1.DeleteOptions{}))
	saw("applied, in conflict, forced, given up, extracted")
}

// raced lets twenty writers count in one object.
func raced(ctx context.Context, client kubernetes.Interface) {
	maps := client.CoreV1().ConfigMaps(namespace)
	_, err := maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "go-counter"}, Data: map[string]string{"n": ""}}, metav1.CreateOptions{})
	check(err)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			backoff := retry.DefaultBackoff
			backoff.Steps = 100
			check(retry.RetryOnConflict(backoff, func() error {
				current, err := maps.Get(ctx, "go-counter", metav1.GetOptions{})
				if err != nil {
					return err
				}
				current.Data["n"] += "x"
				_, err = maps.Update(ctx, current, metav1.UpdateOptions{})
				return err
			}))
		})
	}
	all.Wait()
	current, err := maps.Get(ctx, "go-counter", metav1.GetOptions{})
	check(err)
	expect(len(current.Data["n"]) == 20, "twenty writers left %d marks", len(current.Data["n"]))
	check(maps.Delete(ctx, "go-counter", metav1.DeleteOptions{}))
	saw("twenty writers, no update lost")
}

// elected lets two candidates lead one after the other, and never at once.
func elected(ctx context.Context, client kubernetes.Interface) {
	var mutex sync.Mutex
	leaders, most := 0, 0
	var order []string
	var all sync.WaitGroup
	for _, name := range []string{"one", "two"} {
		all.Go(func() {
			ctx, stop := context.WithCancel(ctx)
			defer stop()
			leaderelection.RunOrDie(ctx, leaderelection.LeaderElectionConfig{
				Lock: &resourcelock.LeaseLock{
					LeaseMeta:  metav1.ObjectMeta{Name: "go-leader", Namespace: namespace},
					Client:     client.CoordinationV1(),
					LockConfig: resourcelock.ResourceLockConfig{Identity: name},
				},
				LeaseDuration:   3 * time.Second,
				RenewDeadline:   2 * time.Second,
				RetryPeriod:     100 * time.Millisecond,
				ReleaseOnCancel: true,
				Callbacks: leaderelection.LeaderCallbacks{
					OnStartedLeading: func(ctx context.Context) {
						mutex.Lock()
						leaders++
						most = max(most, leaders)
						order = append(order, name)
						mutex.Unlock()
						time.Sleep(300 * time.Millisecond)
						mutex.Lock()
						leaders--
						mutex.Unlock()
						stop()
					},
					OnStoppedLeading: func() {},
				},
			})
		})
	}
	all.Wait()
	expect(most == 1 && len(order) == 2 && order[0] != order[1], "led: %v, at once %d", order, most)
	check(client.CoordinationV1().Leases(namespace).Delete(ctx, "go-leader", metav1.DeleteOptions{}))
	saw("two candidates led, one after the other")
}

// refused asks for what cannot be had, and looks at how it is told so.
func refused(ctx context.Context, client kubernetes.Interface) {
	_, err := client.CoreV1().Pods(namespace).Create(ctx, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "Bad Name"}}, metav1.CreateOptions{})
	expect(apierrors.IsInvalid(err), "an invalid pod: %v", err)
	_, err = client.CoreV1().Pods("absent").Create(ctx, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "x"}}, metav1.CreateOptions{})
	expect(apierrors.IsNotFound(err), "a pod in no namespace: %v", err)
	_, err = client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{Continue: "nonsense"})
	expect(apierrors.IsBadRequest(err), "a list with a token that is none: %v", err)
	_, err = client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{})
	expect(apierrors.IsAlreadyExists(err), "a namespace that is there: %v", err)
	saw("refusals are told in errors that client-go knows")
}

func discovered(config *rest.Config) {
	client := discovery.NewDiscoveryClientForConfigOrDie(config)
	version, err := client.ServerVersion()
	check(err)
	_, lists, err := client.ServerGroupsAndResources()
	check(err)
	_, err = client.OpenAPISchema()
	check(err)
	paths, err := client.OpenAPIV3().Paths()
	check(err)
	for _, path := range []string{"api/v1", "apis/apps/v1"} {
		_, err = paths[path].Schema("application/com.github.proto-openapi.spec.v3@v1.0+protobuf")
		check(err)
	}
	expect(version.Major == "1" && len(lists) > 15, "version %v, %d group versions", version, len(lists))
	saw("discovered: %s.%s", version.Major, version.Minor)
}

func metadataOnly(ctx context.Context, config *rest.Config) {
	client := metadata.NewForConfigOrDie(config)
	list, err := client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}).List(ctx, metav1.ListOptions{})
	check(err)
	expect(len(list.Items) >= 4 && list.Items[0].Name == "default", "metadata: %v", list)
	saw("metadata alone")
}

// custom defines a kind of its own and uses it without Go types.
func custom(ctx context.Context, config *rest.Config) {
	client := dynamic.NewForConfigOrDie(config)
	definitions := client.Resource(schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"})
	definition := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1",
		"kind":       "CustomResourceDefinition",
		"metadata":   map[string]any{"name": "gophers.test.example.com"},
		"spec": map[string]any{
			"group": "test.example.com",
			"scope": "Namespaced",
			"names": map[string]any{"plural": "gophers", "kind": "Gopher"},
			"versions": []any{map[string]any{
				"name": "v1", "served": true, "storage": true,
				"subresources": map[string]any{"status": map[string]any{}},
				"schema": map[string]any{"openAPIV3Schema": map[string]any{
					"type": "object",
					"properties": map[string]any{
						"spec":   map[string]any{"type": "object", "properties": map[string]any{"digs": map[string]any{"type": "integer", "format": "int64"}}},
						"status": map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true},
					},
				}},
			}},
		},
	}}
	_, err := definitions.Create(ctx, definition, metav1.CreateOptions{})
	check(err)
	gophers := client.Resource(schema.GroupVersionResource{Group: "test.example.com", Version: "v1", Resource: "gophers"}).Namespace(namespace)
	gopher := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "test.example.com/v1",
		"kind":       "Gopher",
		"metadata":   map[string]any{"name": "g"},
		"spec":       map[string]any{"digs": int64(9007199254740993), "unknown": true},
	}}
	var made *unstructured.Unstructured
	for {
		made, err = gophers.Create(ctx, gopher, metav1.CreateOptions{})
		if !apierrors.IsNotFound(err) {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	check(err)
	digs, _, err := unstructured.NestedInt64(made.Object, "spec", "digs")
	check(err)
	_, found, _ := unstructured.NestedFieldNoCopy(made.Object, "spec", "unknown")
	expect(digs == 9007199254740993 && !found && made.GetGeneration() == 1, "a custom object: %v", made)
	check(unstructured.SetNestedField(made.Object, "done", "status", "phase"))
	told, err := gophers.UpdateStatus(ctx, made, metav1.UpdateOptions{})
	check(err)
	expect(told.GetGeneration() == 1, "a status write grew the generation: %v", told)
	check(definitions.Delete(ctx, "gophers.test.example.com", metav1.DeleteOptions{}))
	saw("a kind of one's own, with every digit of its numbers")
}
