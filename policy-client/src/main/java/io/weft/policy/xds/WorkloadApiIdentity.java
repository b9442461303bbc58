package io.weft.policy.xds;

import io.netty.channel.EventLoop;
import io.weft.policy.PolicyClientConfig;
import io.weft.policy.identity.HeldIdentity;
import io.weft.policy.identity.IdentityConfig;
import io.weft.policy.identity.WorkloadApi;
import io.weft.policy.xds.GrpcStatus.Code;
import java.net.SocketAddress;
import java.security.cert.CertificateException;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * An identity from the SPIFFE Workload API: one stream, on which a fresh one comes before the old one expires. When the stream ends, it is
 * opened again with backoff, and what is held stays until it has expired.
 */
final class WorkloadApiIdentity implements IdentitySource, GrpcStreamListener {
    private final EventLoop loop;
    private final Listener listener;
    private final WorkloadApiAddress address;
    private final GrpcConnector connector;
    private final Backoff backoff;
    private final Expiry expiry;

    private GrpcStream call;
    private Future<?> next;
    private boolean stopped;

    WorkloadApiIdentity(
            EventLoop loop, IdentityConfig.FromWorkloadApi source, PolicyClientConfig config, Environment environment, Listener listener) {
        this.loop = loop;
        this.listener = listener;
        this.address = new WorkloadApiAddress(WorkloadApi.address(source.address()));
        // On the same machine the kernel tells when the other side is gone, and SPIRE's agent turns away whoever pings often.
        this.connector = new GrpcConnector(
                loop, address, ControlPlaneCredentials.NONE, environment.limits().withKeepaliveIdle(Duration.ofHours(1)));
        this.backoff = new Backoff(config.initialBackoff(), config.maxBackoff(), environment.random());
        this.expiry = new Expiry(loop, environment.clock(), listener::lost);
    }

    @Override
    public void start() {
        if (!stopped) {
            call = connector.open(WorkloadApi.PATH, this);
        }
    }

    @Override
    public void stop() {
        stopped = true;
        expiry.cancel();
        if (next != null) {
            next.cancel(false);
        }
        if (call != null) {
            call.cancel(new GrpcStatus(Code.CANCELLED, "stopped"));
        }
    }

    @Override
    public void opened(SocketAddress local) {
        call.send(WorkloadApi.request());
        call.halfClose();
    }

    @Override
    public void message(byte[] message) {
        if (stopped) {
            return;
        }
        try {
            HeldIdentity identity = WorkloadApi.identity(message);
            Instant expires = identity.expires().orElseThrow();
            if (expiry.at(expires).compareTo(Duration.ZERO) > 0) {
                backoff.reset();
                listener.held(identity);
            } else {
                trouble("the certificate that came has expired on " + expires + "; compare the machines' clocks");
            }
        } catch (CertificateException e) {
            trouble("what it answered " + e.getMessage());
        }
    }

    @Override
    public void closed(GrpcStatus status) {
        if (stopped) {
            return;
        }
        trouble(status + (status.code() == Code.PERMISSION_DENIED ? "; is this workload registered there?" : ""));
        next = loop.schedule(this::start, backoff.next().toNanos(), TimeUnit.NANOSECONDS);
    }

    private void trouble(String what) {
        listener.trouble("no identity from the SPIFFE Workload API at " + address + ": " + what);
    }
}
