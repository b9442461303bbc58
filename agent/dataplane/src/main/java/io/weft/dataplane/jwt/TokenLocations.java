package io.weft.dataplane.jwt;

import io.weft.dataplane.HttpStream;
import io.weft.dataplane.RequestHead;
import io.weft.dataplane.match.DecodedQuery;
import io.weft.policy.model.JwtAuthentication.HeaderLocation;
import io.weft.policy.model.JwtAuthentication.Provider;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Where tokens are looked for: headers, then query parameters, then cookies, each in order of name, as in Envoy. Immutable. */
final class TokenLocations {
    private final List<Location> locations = new ArrayList<>();

    /** A place, and whose tokens may be there. */
    private abstract static class Location {
        /** Empty among them: anybody's. */
        final Set<String> issuers = new HashSet<>();

        /** @return null when there is none */
        abstract String find(RequestHead request);

        void remove(HttpStream stream) {}
    }

    /** A token that was found. */
    record Found(String token, Object place) {
        boolean mayBeOf(String issuer) {
            Set<String> issuers = ((Location) place).issuers;
            return issuers.contains("") || issuers.contains(issuer);
        }

        /** Out of the request; a cookie stays, as in Envoy. */
        void removeFrom(HttpStream stream) {
            ((Location) place).remove(stream);
        }
    }

    TokenLocations(Collection<Provider> providers) {
        Map<String, Location> headers = new TreeMap<>();
        Map<String, Location> parameters = new TreeMap<>();
        Map<String, Location> cookies = new TreeMap<>();
        for (Provider provider : providers) {
            String issuer = provider.claims().issuer();
            for (HeaderLocation header : provider.locations().headers()) {
                headers.computeIfAbsent(header.name() + header.prefix(), key -> new InHeader(header)).issuers.add(issuer);
            }
            for (String parameter : provider.locations().parameters()) {
                parameters.computeIfAbsent(parameter, InParameter::new).issuers.add(issuer);
            }
            for (String cookie : provider.locations().cookies()) {
                cookies.computeIfAbsent(cookie, InCookie::new).issuers.add(issuer);
            }
        }
        locations.addAll(headers.values());
        locations.addAll(parameters.values());
        locations.addAll(cookies.values());
    }

    List<Found> find(RequestHead request) {
        List<Found> found = new ArrayList<>(1);
        for (Location location : locations) {
            String token = location.find(request);
            if (token != null) {
                found.add(new Found(token, location));
            }
        }
        return found;
    }

    private static final class InHeader extends Location {
        private final HeaderLocation header;

        InHeader(HeaderLocation header) {
            this.header = header;
        }

        @Override
        String find(RequestHead request) {
            String value = request.header(header.name());
            if (value == null || header.prefix().isEmpty()) {
                return value;
            }
            int prefix = value.indexOf(header.prefix());
            if (prefix < 0) {
                return null;
            }
            for (int i = prefix + header.prefix().length(); i < value.length(); i++) {
                if (isTokenCharacter(value.charAt(i))) {
                    return value.substring(i);
                }
            }
            return value;
        }

        private static boolean isTokenCharacter(char c) {
            return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.';
        }

        @Override
        void remove(HttpStream stream) {
            stream.requestHeaders().remove(header.name());
        }
    }

    private static final class InParameter extends Location {
        private final String name;

        InParameter(String name) {
            this.name = name;
        }

        @Override
        String find(RequestHead request) {
            return DecodedQuery.first(request.path(), name);
        }

        @Override
        void remove(HttpStream stream) {
            String target = stream.head().path();
            int query = target.indexOf('?');
            StringBuilder kept = new StringBuilder(target.length()).append(target, 0, query);
            char separator = '?';
            for (int start = query + 1; start <= target.length(); ) {
                int end = DecodedQuery.end(target, start);
                if (!DecodedQuery.isOfName(target, start, end, name)) {
                    kept.append(separator).append(target, start, end);
                    separator = '&';
                }
                start = end + 1;
            }
            stream.requestPath(kept.toString());
        }
    }

    private static final class InCookie extends Location {
        private final String name;

        InCookie(String name) {
            this.name = name;
        }

        /** The first of the name; quotes around the value are no part of it. */
        @Override
        String find(RequestHead request) {
            String cookies = request.header("cookie");
            if (cookies == null) {
                return null;
            }
            for (String cookie : cookies.split("[;,]")) {
                String pair = cookie.strip();
                int equals = pair.indexOf('=');
                if (equals == name.length() && pair.startsWith(name)) {
                    String value = pair.substring(equals + 1);
                    boolean quoted = value.length() >= 2 && value.startsWith("\"") && value.endsWith("\"");
                    return quoted ? value.substring(1, value.length() - 1) : value;
                }
            }
            return null;
        }
    }
}
