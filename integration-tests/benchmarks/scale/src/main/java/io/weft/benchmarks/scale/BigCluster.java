package io.weft.benchmarks.scale;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.Endpoint;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import io.weft.controlplane.kubernetes.MockCluster;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * The API of a cluster with many services and pods, by the mock server of the client library, which keeps what is created and serves
 * watches over HTTP. Arguments: a folder, how many services, how many pods each has, how many callers. The folder gets {@code kubeconfig} and
 * {@code tokens}, one line for each caller: its pod's name and its token.
 *
 * <p>On standard input: {@code roll PODS MILLIS} replaces pods as Deployments do it, in so much time; {@code canary WEIGHT} lets a route lead
 * so much of a hundred to another version. Each is answered by a line when it is done.
 */
public final class BigCluster {
    private static final String NAMESPACE = "shop";
    private static final int THREADS = 4;

    private final MockCluster cluster = new MockCluster();
    private final int services;
    private final int podsOfEach;
    /** As the API server has given them, by the name of what has them. */
    private final Map<String, String> uids = new ConcurrentHashMap<>();
    private int replaced;

    private BigCluster(int services, int podsOfEach) throws IOException {
        this.services = services;
        this.podsOfEach = podsOfEach;
    }

    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[0]);
        BigCluster big = new BigCluster(Integer.parseInt(args[1]), Integer.parseInt(args[2]));
        big.create();
        big.callers(Integer.parseInt(args[3]), folder.resolve("tokens"));
        System.out.println("kubeconfig=" + big.cluster.kubeconfig(folder).getFileName());
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split(" ");
            if (words[0].equals("roll")) {
                big.roll(Integer.parseInt(words[1]), Long.parseLong(words[2]));
            } else {
                big.canary(Integer.parseInt(words[1]));
            }
            System.out.println("done=" + words[0]);
        }
        big.cluster.close();
    }

    private void create() throws Exception {
        List<List<HasMetadata>> all = new ArrayList<>();
        for (int service = 0; service < services; service++) {
            List<HasMetadata> objects = new ArrayList<>();
            objects.add(service(service));
            List<Endpoint> endpoints = new ArrayList<>();
            for (int pod = 0; pod < podsOfEach; pod++) {
                objects.add(pod(service, pod, 0));
                endpoints.add(endpoint(service, pod, 0, true));
            }
            objects.add(slice(service, endpoints));
            all.add(objects);
        }
        inParallel(all);
    }

    private void inParallel(List<List<HasMetadata>> all) throws Exception {
        ExecutorService executor = Executors.newFixedThreadPool(THREADS);
        List<Future<?>> made = new ArrayList<>();
        for (List<HasMetadata> objects : all) {
            made.add(executor.submit(() -> objects.forEach(this::create)));
        }
        for (Future<?> each : made) {
            each.get();
        }
        executor.shutdown();
        executor.awaitTermination(1, TimeUnit.MINUTES);
    }

    private void create(HasMetadata object) {
        HasMetadata created = cluster.client().resource(object).create();
        uids.put(created.getMetadata().getName(), created.getMetadata().getUid());
    }

    private void callers(int number, Path tokens) throws Exception {
        List<List<HasMetadata>> pods = new ArrayList<>();
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < number; i++) {
            pods.add(List.of(pod("caller-" + i, "caller", "127.0.0.1")));
        }
        inParallel(pods);
        for (int i = 0; i < number; i++) {
            String pod = "caller-" + i;
            lines.add(pod + " " + cluster.token("caller", pod, uids.get(pod)));
        }
        Files.write(tokens, lines);
    }

    private static String name(int service) {
        return "service-" + service;
    }

    private static String address(int service, int pod, int life) {
        return "10." + (service / 250 + 8 * life) + "." + service % 250 + "." + (pod + 1);
    }

    private static Service service(int service) {
        return new ServiceBuilder()
                .withNewMetadata().withName(name(service)).withNamespace(NAMESPACE).endMetadata()
                .withNewSpec()
                .withClusterIP("10.96." + service / 250 + "." + service % 250)
                .addNewPort().withName("http").withPort(80).withProtocol("TCP").endPort()
                .endSpec()
                .build();
    }

    private static Pod pod(int service, int pod, int life) {
        return pod(podName(service, pod, life), name(service), address(service, pod, life));
    }

    private static Pod pod(String name, String app, String address) {
        return new PodBuilder()
                .withNewMetadata().withName(name).withNamespace(NAMESPACE).withUid("uid-" + name).addToLabels("app", app).addToLabels("version", "v1")
                .endMetadata()
                .withNewSpec().withNodeName("node-1").withServiceAccountName(app).endSpec()
                .withNewStatus().withPodIP(address).addNewPodIP().withIp(address).endPodIP().endStatus()
                .build();
    }

    private static String podName(int service, int pod, int life) {
        return name(service) + "-" + life + "-" + pod;
    }

    private static Endpoint endpoint(int service, int pod, int life, boolean ready) {
        return new EndpointBuilder()
                .withAddresses(address(service, pod, life))
                .withNewConditions().withReady(ready).withServing(true).withTerminating(!ready).endConditions()
                .withNewTargetRef().withKind("Pod").withNamespace(NAMESPACE).withName(podName(service, pod, life)).endTargetRef()
                .build();
    }

    private static EndpointSlice slice(int service, List<Endpoint> endpoints) {
        return new EndpointSliceBuilder()
                .withNewMetadata().withName(name(service) + "-x").withNamespace(NAMESPACE)
                .addToLabels("kubernetes.io/service-name", name(service)).endMetadata()
                .withAddressType("IPv4")
                .addNewPort().withName("http").withPort(8080).withProtocol("TCP").endPort()
                .withEndpoints(endpoints)
                .build();
    }

    /** A new pod comes and is ready, then an old one ends: three changes of its slice for each. */
    private void roll(int pods, long millis) throws InterruptedException {
        long begun = System.nanoTime();
        List<Endpoint> endpoints = new ArrayList<>();
        for (int i = 0; i < pods; i++) {
            int service = (replaced / podsOfEach) % services;
            int life = 1 + replaced / (podsOfEach * services);
            int pod = replaced % podsOfEach;
            if (pod == 0) {
                endpoints.clear();
                for (int other = 0; other < podsOfEach; other++) {
                    endpoints.add(endpoint(service, other, life - 1, true));
                }
            }
            cluster.client().resource(pod(service, pod, life)).create();
            endpoints.add(endpoint(service, pod, life, true));
            cluster.client().resource(slice(service, endpoints)).update();
            endpoints.set(0, endpoint(service, pod, life - 1, false));
            cluster.client().resource(slice(service, endpoints)).update();
            endpoints.remove(0);
            cluster.client().resource(slice(service, endpoints)).update();
            cluster.client().resource(pod(service, pod, life - 1)).delete();
            replaced++;
            long due = begun + TimeUnit.MILLISECONDS.toNanos(millis) * (i + 1) / pods - System.nanoTime();
            if (due > 0) {
                TimeUnit.NANOSECONDS.sleep(due);
            }
        }
    }

    private void canary(int weight) {
        cluster.apply("""
                apiVersion: kuma.io/v1alpha1
                kind: MeshHTTPRoute
                metadata: {name: canary, namespace: shop}
                spec:
                  to:
                  - targetRef: {kind: MeshService, name: service-0}
                    rules:
                    - matches: [{path: {type: PathPrefix, value: /}}]
                      default:
                        backendRefs:
                        - {kind: MeshServiceSubset, name: service-0, tags: {version: v1}, weight: %d}
                        - {kind: MeshServiceSubset, name: service-0, tags: {version: v2}, weight: %d}
                """.formatted(100 - weight, weight));
    }
}
