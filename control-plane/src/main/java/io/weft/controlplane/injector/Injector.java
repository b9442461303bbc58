package io.weft.controlplane.injector;

import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The webhook with its certificates, kept fresh. */
public final class Injector implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Injector.class);
    private static final Duration RENEWAL = Duration.ofMinutes(1);

    private final KubernetesClient client;
    private final Certificates certificates;
    private final WebhookServer server;
    private final CountDownLatch closed = new CountDownLatch(1);
    private final ScheduledExecutorService renewal = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "weft-certificates");
        thread.setDaemon(true);
        return thread;
    });

    private Injector(KubernetesClient client, Certificates certificates, WebhookServer server) {
        this.client = client;
        this.certificates = certificates;
        this.server = server;
    }

    /**
     * @param listen port 0: any free one
     * @param namespace of the injector, with its Secrets
     * @param client is closed with the injector
     * @throws IOException it cannot listen, or the cluster's API does not let it do its work
     */
    public static Injector start(
            InetSocketAddress listen, PodSettings pods, CertificateSettings settings, String namespace, KubernetesClient client)
            throws IOException {
        Cluster cluster = new Cluster(client, namespace);
        Certificates certificates = new Certificates(settings, cluster, Clock.systemUTC());
        certificates.renew();
        PodInjection injection = new PodInjection(pods, certificates::bundle, cluster);
        Injector injector = new Injector(client, certificates, new WebhookServer(listen, injection, certificates::own));
        injector.renewal.scheduleWithFixedDelay(injector::renew, RENEWAL.toSeconds(), RENEWAL.toSeconds(), TimeUnit.SECONDS);
        return injector;
    }

    private void renew() {
        try {
            certificates.renew();
        } catch (IOException | RuntimeException e) {
            LOG.warn("the certificates cannot be looked after: {}; will be tried again in a minute", e.getMessage());
        }
    }

    public int port() {
        return server.port();
    }

    public void awaitTermination() throws InterruptedException {
        closed.await();
    }

    @Override
    public void close() {
        renewal.shutdownNow();
        server.close();
        client.close();
        closed.countDown();
    }
}
