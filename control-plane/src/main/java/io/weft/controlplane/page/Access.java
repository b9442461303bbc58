package io.weft.controlplane.page;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsExchange;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/**
 * Who may do what. Whoever reaches the port may read, under a name by which this page is meant to be reached: a name of somebody else's
 * that leads here would let that somebody's page read everything (DNS rebinding). Whoever writes needs a token, which no browser sends by
 * itself, and not over a network in clear text.
 */
final class Access {

    private static final Pattern IP_LITERAL = Pattern.compile("[0-9]{1,3}(\\.[0-9]{1,3}){3}|\\[[0-9a-fA-F:.%]+]");
    private static final String SCHEME = "Bearer ";

    private final Set<String> names;
    private final Predicate<String> tokens;

    /**
     * @param names of the host besides {@code localhost}, in lower case
     * @param tokens whether a token lets its bearer write
     */
    Access(Set<String> names, Predicate<String> tokens) {
        this.names = Set.copyOf(names);
        this.tokens = tokens;
    }

    /** A refusal: an HTTP status and why. */
    record Denied(int status, String reason) {}

    /** Empty: it may be read. */
    Optional<Denied> reading(HttpExchange exchange) {
        String host = exchange.getRequestHeaders().getFirst("Host");
        if (host == null || !isOurs(host)) {
            return Optional.of(new Denied(421, "this page is not reached by the name " + (host == null ? "(none)" : host)
                    + "; use localhost or an address, or name it with --page-host"));
        }
        return Optional.empty();
    }

    /** Empty: it may be written; the request may be read, too. */
    Optional<Denied> writing(HttpExchange exchange) {
        Optional<Denied> denied = fromElsewhere(exchange);
        if (denied.isPresent()) {
            return denied;
        }
        boolean local = exchange.getRemoteAddress().getAddress().isLoopbackAddress();
        if (!local && !(exchange instanceof HttpsExchange)) {
            return Optional.of(new Denied(403, "a token is not taken in clear text from another machine;"
                    + " start the control plane with --tls-certificate"));
        }
        String authorization = exchange.getRequestHeaders().getFirst("Authorization");
        if (authorization == null || !authorization.regionMatches(true, 0, SCHEME, 0, SCHEME.length())) {
            return Optional.of(new Denied(401, "writing needs a token: make one with weft token --operator"));
        }
        return tokens.test(authorization.substring(SCHEME.length()).strip())
                ? Optional.empty()
                : Optional.of(new Denied(401, "the token is not valid; make one with weft token --operator"));
    }

    /** Empty: no other page sent it. A client that is no browser says nothing of an origin. */
    Optional<Denied> fromElsewhere(HttpExchange exchange) {
        Headers headers = exchange.getRequestHeaders();
        String origin = headers.getFirst("Origin");
        String own = (exchange instanceof HttpsExchange ? "https://" : "http://") + headers.getFirst("Host");
        if (origin != null && !origin.equalsIgnoreCase(own)) {
            return Optional.of(new Denied(403, "the page at " + origin + " may not send this"));
        }
        String type = headers.getFirst("Content-Type");
        return type != null && type.toLowerCase(Locale.ROOT).startsWith("application/json")
                ? Optional.empty()
                : Optional.of(new Denied(415, "send application/json"));
    }

    private boolean isOurs(String host) {
        String name = host.toLowerCase(Locale.ROOT);
        int colon = name.lastIndexOf(':');
        if (colon > name.lastIndexOf(']')) {
            name = name.substring(0, colon);
        }
        // An address cannot be made to mean something else.
        return name.equals("localhost") || IP_LITERAL.matcher(name).matches() || names.contains(name);
    }
}
