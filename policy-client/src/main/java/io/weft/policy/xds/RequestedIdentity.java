package io.weft.policy.xds;

import io.netty.channel.EventLoop;
import io.weft.policy.PolicyClientConfig;
import io.weft.policy.identity.HeldIdentity;
import io.weft.policy.identity.IstioCertificates;
import io.weft.policy.identity.KeyType;
import io.weft.policy.identity.SigningRequest;
import io.weft.policy.xds.GrpcStatus.Code;
import java.net.SocketAddress;
import java.security.KeyPair;
import java.security.cert.CertificateException;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * An identity by certificate request: a new key for each certificate, which never leaves this process. Renewed at a random moment
 * between half and two thirds of the lifetime that is left when it comes, so that what started together does not ask together.
 */
final class RequestedIdentity implements IdentitySource {
    private final EventLoop loop;
    private final Environment environment;
    private final KeyType keyType;
    private final Listener listener;
    private final GrpcConnector connector;
    private final Backoff backoff;
    private final Expiry expiry;

    private Attempt current;
    private Future<?> next;
    private boolean stopped;

    RequestedIdentity(EventLoop loop, PolicyClientConfig config, Environment environment, Listener listener) {
        this.loop = loop;
        this.environment = environment;
        this.keyType = config.identity().keyType();
        this.listener = listener;
        this.connector = new GrpcConnector(
                loop,
                GrpcServer.controlPlane(config.controlPlane()),
                ControlPlaneCredentials.of(config),
                environment.limits());
        this.backoff = new Backoff(config.initialBackoff(), config.maxBackoff(), environment.random());
        this.expiry = new Expiry(loop, environment.clock(), listener::lost);
    }

    @Override
    public void start() {
        if (!stopped) {
            current = new Attempt(keyType.generate());
            current.open();
        }
    }

    @Override
    public void stop() {
        stopped = true;
        expiry.cancel();
        if (next != null) {
            next.cancel(false);
        }
        if (current != null) {
            current.call.cancel(new GrpcStatus(Code.CANCELLED, "stopped"));
        }
    }

    private void again(Duration delay) {
        next = loop.schedule(this::start, delay.toNanos(), TimeUnit.NANOSECONDS);
    }

    private void taken(HeldIdentity identity) {
        Instant expires = identity.expires().orElseThrow();
        Duration left = expiry.at(expires);
        if (left.compareTo(Duration.ZERO) <= 0) {
            failed("the certificate that came has expired on " + expires + "; compare the machines' clocks");
            return;
        }
        backoff.reset();
        listener.held(identity);
        long half = left.toMillis() / 2;
        again(Duration.ofMillis(half + environment.random().nextLong(left.toMillis() / 6 + 1)));
    }

    private void failed(String what) {
        listener.trouble("no certificate for this process: " + what);
        again(backoff.next());
    }

    private final class Attempt implements GrpcStreamListener {
        private final KeyPair pair;
        private GrpcStream call;
        private Future<?> deadline;
        private byte[] answer;

        Attempt(KeyPair pair) {
            this.pair = pair;
        }

        void open() {
            call = connector.open(IstioCertificates.PATH, this);
            Duration patience = environment.limits().setup().multipliedBy(2);
            deadline = loop.schedule(
                    () -> call.cancel(new GrpcStatus(Code.DEADLINE_EXCEEDED, "no answer within " + patience.toMillis() + " ms")),
                    patience.toNanos(), TimeUnit.NANOSECONDS);
        }

        @Override
        public void opened(SocketAddress local) {
            call.send(IstioCertificates.request(SigningRequest.of(keyType, pair)));
            call.halfClose();
        }

        @Override
        public void message(byte[] message) {
            answer = message;
        }

        @Override
        public void closed(GrpcStatus status) {
            deadline.cancel(false);
            current = null;
            if (stopped) {
                return;
            }
            if (status.code() != Code.OK || answer == null) {
                failed(status.code() == Code.OK ? "the control plane answered nothing" : status.toString());
                return;
            }
            try {
                taken(IstioCertificates.identity(answer, pair));
            } catch (CertificateException e) {
                failed("what the control plane answered " + e.getMessage());
            }
        }
    }
}
