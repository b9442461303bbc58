package io.weft.dataplane.filter;

import io.weft.dataplane.CookieHeader;
import io.weft.dataplane.HttpStream;
import io.weft.dataplane.NanoClock;
import io.weft.dataplane.RequestHead;
import io.weft.dataplane.WireReader;
import io.weft.policy.model.HttpFilter.CookieSession;
import io.weft.policy.model.HttpFilter.HeaderSession;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * {@code envoy.filters.http.stateful_session}: requests of a session go to the endpoint that a cookie or a header names, and the
 * response names the endpoint that it came from. What they hold is what Envoy puts there.
 */
final class StatefulSession extends HttpFilter {
    /** A session without an endpoint yet. */
    private static final String NEW = "";

    private final State state;
    private final boolean strict;

    private StatefulSession(State state, boolean strict) {
        this.state = state;
        this.strict = strict;
    }

    static HttpFilter of(io.weft.policy.model.HttpFilter.StatefulSession policy, NanoClock clock) {
        State state = policy.state() instanceof CookieSession cookie
                ? new Cookie(cookie, clock)
                : new Header((HeaderSession) policy.state());
        return new StatefulSession(state, policy.strict());
    }

    @Override
    public Decision onRequest(HttpStream stream) {
        if (state.covers(stream.head())) {
            String address = state.address(stream.head());
            stream.keep(address == null ? NEW : address);
            if (address != null) {
                stream.overrideHost(address, strict);
            }
        }
        return Decision.CONTINUE;
    }

    @Override
    public void onResponse(HttpStream stream) {
        String upstream = stream.upstreamAddress();
        if (stream.kept() != null && upstream != null && !upstream.equals(stream.kept())) {
            state.name(upstream, stream);
        }
    }

    private interface State {
        /** Whether the request can be part of a session. */
        boolean covers(RequestHead request);

        /** Null: the request names none. */
        String address(RequestHead request);

        void name(String address, HttpStream stream);
    }

    private static String decoded(String base64) {
        byte[] bytes = bytes(base64);
        return bytes.length == 0 ? null : new String(bytes, StandardCharsets.UTF_8);
    }

    private static byte[] bytes(String base64) {
        try {
            return Base64.getDecoder().decode(base64);
        } catch (IllegalArgumentException notBase64) {
            // What the app made up is no session.
            return new byte[0];
        }
    }

    private record Header(HeaderSession policy) implements State {
        @Override
        public boolean covers(RequestHead request) {
            return true;
        }

        @Override
        public String address(RequestHead request) {
            String value = request.header(policy.name());
            return value == null ? null : decoded(value);
        }

        @Override
        public void name(String address, HttpStream stream) {
            stream.responseHeaders().set(
                    policy.name(), Base64.getEncoder().encodeToString(address.getBytes(StandardCharsets.UTF_8)));
        }
    }

    /** The value is base64 of a message with the address as field 1 and, where it expires, the second of that as field 2. */
    private record Cookie(CookieSession policy, NanoClock clock) implements State {
        private static final int ADDRESS = 1 << 3 | WireReader.BYTES;
        private static final int EXPIRES = 2 << 3 | WireReader.VARINT;

        @Override
        public boolean covers(RequestHead request) {
            String path = policy.path();
            String target = request.path();
            if (path.isEmpty() || path.equals("/")) {
                return true;
            }
            if (!target.startsWith(path)) {
                return false;
            }
            return path.endsWith("/") || target.length() == path.length() || "/?#".indexOf(target.charAt(path.length())) >= 0;
        }

        @Override
        public String address(RequestHead request) {
            String value = CookieHeader.value(request.header("cookie"), policy.name());
            if (value == null) {
                return null;
            }
            byte[] bytes = bytes(value);
            String address = "";
            long expires = 0;
            try {
                WireReader reader = new WireReader(bytes);
                while (reader.hasNext()) {
                    int tag = (int) reader.varint();
                    switch (tag) {
                        case ADDRESS -> address = reader.bytes().text();
                        case EXPIRES -> expires = reader.varint();
                        default -> reader.skip(tag & 7);
                    }
                }
            } catch (IllegalArgumentException noMessage) {
                // Older Envoys put the plain address there.
                return decoded(value);
            }
            boolean over = expires != 0 && seconds() > expires;
            return address.isEmpty() || over ? null : address;
        }

        @Override
        public void name(String address, HttpStream stream) {
            ByteArrayOutputStream message = new ByteArrayOutputStream();
            byte[] text = address.getBytes(StandardCharsets.UTF_8);
            message.write(ADDRESS);
            message.write(text.length);
            message.writeBytes(text);
            long ttl = policy.ttl().toSeconds();
            if (ttl > 0) {
                message.write(EXPIRES);
                long rest = seconds() + ttl;
                for (; rest >>> 7 != 0; rest >>>= 7) {
                    message.write((int) (rest & 0x7f | 0x80));
                }
                message.write((int) rest);
            }
            stream.responseHeaders().append("set-cookie", CookieHeader.set(
                    policy.name(), Base64.getEncoder().encodeToString(message.toByteArray()), ttl, policy.path(), List.of()));
        }

        /** Of the machine's monotonic clock, as Envoy: who reads the cookie is the process that wrote it, or one beside it. */
        private long seconds() {
            return TimeUnit.NANOSECONDS.toSeconds(clock.nanoTime());
        }
    }
}
