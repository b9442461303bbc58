package io.weft.dataplane.route;

import io.weft.dataplane.CookieHeader;
import io.weft.dataplane.FilterState;
import io.weft.dataplane.RequestHead;
import io.weft.dataplane.hash.XxHash64;
import io.weft.policy.model.HashPolicy;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * A route's hash policies: one number of the parts of a request that they name, as Envoy makes it. Immutable; allocates nothing
 * but for a regular expression and for cookies that it makes.
 *
 * <p>Where Envoy makes a cookie of the addresses of the client's connection, which here does not exist, it is random.
 */
public final class RequestHasher {
    /** Of a part that the request does not have. So one hash of 2⁶⁴ is taken for none. */
    private static final long ABSENT = 0;

    private final Part[] parts;
    private final boolean makesCookies;

    private RequestHasher(Part[] parts) {
        this.parts = parts;
        boolean makes = false;
        for (Part part : parts) {
            makes |= part instanceof CookieValue cookie && cookie.policy.ttl().isPresent();
        }
        makesCookies = makes;
    }

    /** @return null when there are none */
    public static RequestHasher of(List<HashPolicy> policies) {
        if (policies.isEmpty()) {
            return null;
        }
        Part[] parts = new Part[policies.size()];
        for (int i = 0; i < parts.length; i++) {
            parts[i] = part(policies.get(i));
        }
        return new RequestHasher(parts);
    }

    private static Part part(HashPolicy policy) {
        if (policy instanceof HashPolicy.Header header) {
            return new HeaderValue(header);
        }
        if (policy instanceof HashPolicy.Cookie cookie) {
            return new CookieValue(cookie);
        }
        if (policy instanceof HashPolicy.SourceAddress source) {
            return new SourceAddress(source);
        }
        if (policy instanceof HashPolicy.QueryParameter parameter) {
            return new QueryValue(parameter);
        }
        return new StateValue((HashPolicy.FilterState) policy);
    }

    /**
     * @param source the address that the request comes from, without a port; null: not known
     * @param state null: no filter has put anything there
     * @param random the hash where the request has none of the parts, and the value of a cookie that it lacks
     */
    public long hash(RequestHead request, String source, FilterState state, long random) {
        long hash = 0;
        boolean found = false;
        for (Part part : parts) {
            long value = part.hash(request, source, state, random);
            if (value != ABSENT) {
                // Turned, or the same part twice would come to nothing.
                hash = (found ? Long.rotateLeft(hash, 1) : 0) ^ value;
                found = true;
            }
            if (found && part.terminal) {
                break;
            }
        }
        return found ? hash : random;
    }

    /**
     * The {@code Set-Cookie} headers that the response has to have.
     *
     * @param random as for {@link #hash}
     */
    public List<String> newCookies(RequestHead request, String source, FilterState state, long random) {
        if (!makesCookies) {
            return List.of();
        }
        List<String> cookies = new ArrayList<>(0);
        boolean found = false;
        for (Part part : parts) {
            if (part instanceof CookieValue cookie && cookie.policy.ttl().isPresent() && cookie.isMissing(request)) {
                HashPolicy.Cookie policy = cookie.policy;
                cookies.add(CookieHeader.set(policy.name(), hex(random), policy.ttl().orElseThrow().toSeconds(), policy.path(),
                        policy.attributes()));
            }
            found |= part.hash(request, source, state, random) != ABSENT;
            if (found && part.terminal) {
                break;
            }
        }
        return cookies;
    }

    private static String hex(long value) {
        String digits = Long.toHexString(value);
        return "0".repeat(16 - digits.length()) + digits;
    }

    private abstract static class Part {
        final boolean terminal;

        Part(boolean terminal) {
            this.terminal = terminal;
        }

        /** @return {@link #ABSENT} when it is not in the request */
        abstract long hash(RequestHead request, String source, FilterState state, long random);
    }

    private static final class HeaderValue extends Part {
        private final String name;
        private final RegexReplacement rewrite;

        HeaderValue(HashPolicy.Header policy) {
            super(policy.terminal());
            name = policy.name();
            rewrite = policy.rewrite().map(by -> new RegexReplacement(by.regex(), by.substitution())).orElse(null);
        }

        @Override
        long hash(RequestHead request, String source, FilterState state, long random) {
            String value = request.value(name);
            if (value == null) {
                return ABSENT;
            }
            boolean several = value.indexOf(',') >= 0 && request.values(name).size() > 1;
            return several ? hash(request.values(name)) : XxHash64.hash(rewritten(value));
        }

        /** Of a header that occurs several times: the same in whatever order. */
        private long hash(List<String> values) {
            List<String> sorted = new ArrayList<>(values.size());
            values.forEach(value -> sorted.add(rewritten(value)));
            Collections.sort(sorted);
            long hash = 0;
            for (String value : sorted) {
                hash = XxHash64.hash(value, hash);
            }
            return hash;
        }

        private String rewritten(String value) {
            return rewrite == null ? value : rewrite.apply(value);
        }
    }

    private static final class CookieValue extends Part {
        private final HashPolicy.Cookie policy;

        CookieValue(HashPolicy.Cookie policy) {
            super(policy.terminal());
            this.policy = policy;
        }

        boolean isMissing(RequestHead request) {
            long found = CookieHeader.find(request.header("cookie"), policy.name());
            return found < 0 || CookieHeader.from(found) == CookieHeader.to(found);
        }

        @Override
        long hash(RequestHead request, String source, FilterState state, long random) {
            String header = request.header("cookie");
            long found = CookieHeader.find(header, policy.name());
            if (found < 0 || CookieHeader.from(found) == CookieHeader.to(found)) {
                return policy.ttl().isPresent() ? XxHash64.hash(hex(random)) : ABSENT;
            }
            return XxHash64.hash(header, CookieHeader.from(found), CookieHeader.to(found));
        }
    }

    private static final class SourceAddress extends Part {
        SourceAddress(HashPolicy.SourceAddress policy) {
            super(policy.terminal());
        }

        @Override
        long hash(RequestHead request, String source, FilterState state, long random) {
            return source == null ? ABSENT : XxHash64.hash(source);
        }
    }

    private static final class QueryValue extends Part {
        private final String name;

        QueryValue(HashPolicy.QueryParameter policy) {
            super(policy.terminal());
            name = policy.name();
        }

        @Override
        long hash(RequestHead request, String source, FilterState state, long random) {
            String path = request.path();
            int begin = begin(path);
            if (begin < 0) {
                return ABSENT;
            }
            int end = path.indexOf('&', begin);
            return XxHash64.hash(path, begin, end < 0 ? path.length() : end);
        }

        /** Where the value of the first parameter of the name begins, -1 without one. As it was sent, nothing is decoded. */
        private int begin(String path) {
            int from = path.indexOf('?') + 1;
            while (from > 0 && from < path.length()) {
                int end = path.indexOf('&', from);
                end = end < 0 ? path.length() : end;
                int after = from + name.length();
                if (after <= end && path.startsWith(name, from)) {
                    if (after == end) {
                        return end;
                    }
                    if (path.charAt(after) == '=') {
                        return after + 1;
                    }
                }
                from = end + 1;
            }
            return -1;
        }
    }

    private static final class StateValue extends Part {
        private final String key;

        StateValue(HashPolicy.FilterState policy) {
            super(policy.terminal());
            key = policy.key();
        }

        @Override
        long hash(RequestHead request, String source, FilterState state, long random) {
            FilterState.StateObject object = state == null ? null : state.get(key);
            return object != null && object.hashable() ? XxHash64.hash(object.value()) : ABSENT;
        }
    }
}
