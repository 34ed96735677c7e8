// Command operator keeps, for each Fleet, as many pods as its spec says. It runs in a pod, in two copies of which one leads,
// and does what operators do: owner references, a status, a selector for `kubectl scale`, and a finalizer that leaves a
// note behind.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/util/workqueue"
)

const (
	finalizer  = "test.example.com/farewell"
	fleetLabel = "fleet"
)

var fleets = schema.GroupVersionResource{Group: "test.example.com", Version: "v1", Resource: "fleets"}

type operator struct {
	client  kubernetes.Interface
	dynamic dynamic.Interface
	fleets  cache.GenericLister
	pods    listers.PodLister
	queue   workqueue.TypedRateLimitingInterface[string]
	name    string
}

func main() {
	config, err := rest.InClusterConfig()
	if err != nil {
		panic(err)
	}
	namespace, name := os.Getenv("NAMESPACE"), os.Getenv("NAME")
	client := kubernetes.NewForConfigOrDie(config)
	leaderelection.RunOrDie(context.Background(), leaderelection.LeaderElectionConfig{
		Lock: &resourcelock.LeaseLock{
			LeaseMeta:  metav1.ObjectMeta{Name: "fleet-operator", Namespace: namespace},
			Client:     client.CoordinationV1(),
			LockConfig: resourcelock.ResourceLockConfig{Identity: name},
		},
		LeaseDuration: 3 * time.Second,
		RenewDeadline: 2 * time.Second,
		RetryPeriod:   200 * time.Millisecond,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(ctx context.Context) { lead(ctx, config, client, namespace, name) },
			OnStoppedLeading: func() { os.Exit(1) },
		},
	})
}

func lead(ctx context.Context, config *rest.Config, client kubernetes.Interface, namespace, name string) {
	fmt.Println(name, "leads")
	fleetInformers := dynamicinformer.NewFilteredDynamicSharedInformerFactory(dynamic.NewForConfigOrDie(config), 0, namespace, nil)
	podInformers := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(namespace))
	o := &operator{
		client:  client,
		dynamic: dynamic.NewForConfigOrDie(config),
		fleets:  fleetInformers.ForResource(fleets).Lister(),
		pods:    podInformers.Core().V1().Pods().Lister(),
		queue:   workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[string]()),
		name:    name,
	}
	handler := func(key func(any) string) cache.ResourceEventHandlerFuncs {
		add := func(object any) {
			if key := key(object); key != "" {
				o.queue.Add(key)
			}
		}
		return cache.ResourceEventHandlerFuncs{AddFunc: add, UpdateFunc: func(_, object any) { add(object) }, DeleteFunc: add}
	}
	fleetInformers.ForResource(fleets).Informer().AddEventHandler(handler(func(object any) string {
		key, _ := cache.DeletionHandlingMetaNamespaceKeyFunc(object)
		return key
	}))
	podInformers.Core().V1().Pods().Informer().AddEventHandler(handler(func(object any) string {
		if pod, ok := object.(*corev1.Pod); ok && pod.Labels[fleetLabel] != "" {
			return pod.Namespace + "/" + pod.Labels[fleetLabel]
		}
		return ""
	}))
	fleetInformers.Start(ctx.Done())
	podInformers.Start(ctx.Done())
	fleetInformers.WaitForCacheSync(ctx.Done())
	podInformers.WaitForCacheSync(ctx.Done())
	for {
		key, shutdown := o.queue.Get()
		if shutdown {
			return
		}
		if err := o.reconcile(ctx, key); err != nil {
			fmt.Println(key, err)
			o.queue.AddRateLimited(key)
		} else {
			o.queue.Forget(key)
		}
		o.queue.Done(key)
	}
}

func (o *operator) reconcile(ctx context.Context, key string) error {
	namespace, name, _ := cache.SplitMetaNamespaceKey(key)
	object, err := o.fleets.ByNamespace(namespace).Get(name)
	if apierrors.IsNotFound(err) {
		return nil
	} else if err != nil {
		return err
	}
	fleet := object.(*unstructured.Unstructured).DeepCopy()
	client := o.dynamic.Resource(fleets).Namespace(namespace)
	if fleet.GetDeletionTimestamp() != nil {
		return o.farewell(ctx, fleet)
	}
	if len(fleet.GetFinalizers()) == 0 {
		fleet.SetFinalizers([]string{finalizer})
		_, err := client.Update(ctx, fleet, metav1.UpdateOptions{})
		return err
	}
	selector := labels.SelectorFromSet(labels.Set{fleetLabel: name})
	pods, err := o.pods.Pods(namespace).List(selector)
	if err != nil {
		return err
	}
	wanted, _, _ := unstructured.NestedInt64(fleet.Object, "spec", "replicas")
	running := int64(0)
	for _, pod := range pods {
		if pod.Status.Phase == corev1.PodRunning && pod.DeletionTimestamp == nil {
			running++
		}
	}
	for i := int64(0); i < max(wanted, int64(len(pods))); i++ {
		podName := fmt.Sprintf("%s-%d", name, i)
		if i >= wanted {
			err = o.client.CoreV1().Pods(namespace).Delete(ctx, podName, metav1.DeleteOptions{})
			if apierrors.IsNotFound(err) {
				err = nil
			}
		} else if _, err = o.pods.Pods(namespace).Get(podName); apierrors.IsNotFound(err) {
			_, err = o.client.CoreV1().Pods(namespace).Create(ctx, podOf(fleet, podName), metav1.CreateOptions{})
			if apierrors.IsAlreadyExists(err) {
				err = nil
			}
		}
		if err != nil {
			return err
		}
	}
	status := map[string]any{"replicas": running, "selector": selector.String(), "operator": o.name, "observedGeneration": fleet.GetGeneration()}
	if before, _, _ := unstructured.NestedMap(fleet.Object, "status"); fmt.Sprint(before) == fmt.Sprint(status) {
		return nil
	}
	fleet.Object["status"] = status
	_, err = client.UpdateStatus(ctx, fleet, metav1.UpdateOptions{})
	return err
}

// farewell leaves a note, and lets the Fleet go.
func (o *operator) farewell(ctx context.Context, fleet *unstructured.Unstructured) error {
	_, err := o.client.CoreV1().ConfigMaps(fleet.GetNamespace()).Create(ctx, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "farewell-" + fleet.GetName()},
		Data:       map[string]string{"uid": string(fleet.GetUID())},
	}, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	fleet.SetFinalizers(nil)
	_, err = o.dynamic.Resource(fleets).Namespace(fleet.GetNamespace()).Update(ctx, fleet, metav1.UpdateOptions{})
	return err
}

func podOf(fleet *unstructured.Unstructured, name string) *corev1.Pod {
	grace := int64(0)
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name:            name,
			Labels:          map[string]string{fleetLabel: fleet.GetName()},
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(fleet, fleet.GroupVersionKind())},
		},
		Spec: corev1.PodSpec{
			TerminationGracePeriodSeconds: &grace,
			Containers:                    []corev1.Container{{Name: "c", Image: "busybox:1", Command: []string{"sleep", "10000"}}},
		},
	}
}
