package io.weft.it.comparison;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * A request that both sides send, byte for byte where the client library leaves it to the app.
 *
 * @param client the library that sends it in the JVM; one that would send another request leaves it to {@code java.net.http}
 * @param host what follows {@code http://} in the URL, with the port only if {@link Lane#port} is not to be appended
 * @param target path and query
 * @param headers lines of {@code name: value}; a name may occur twice
 * @param body empty: none
 * @param script what the upstreams do with the attempts, see {@link Upstreams}
 */
record Request(Client client, String method, String host, String target, List<String> headers, String body, String script) {

    enum Client {
        JAVA_NET_HTTP("java-net-http"),
        HTTP_URL_CONNECTION("http-url-connection"),
        APACHE_HTTPCLIENT5("apache-httpclient5"),
        /** Writes paths in its own way. */
        APACHE_HTTPCLIENT4("apache-httpclient4") {
            @Override
            boolean canSend(String host, String target) {
                return target.matches("(/[A-Za-z0-9_]+)*/?(\\?.*)?");
            }
        },
        /** Resolves what points upwards in a path, and writes every host in lower case. */
        OK_HTTP("okhttp") {
            @Override
            boolean canSend(String host, String target) {
                return host.equals(host.toLowerCase(Locale.ROOT)) && !target.matches("[^?]*/\\.{1,2}([/?].*)?");
            }
        };

        /** As the driver calls it. */
        final String driver;

        Client(String driver) {
            this.driver = driver;
        }

        /** Mostly the first. */
        static Client draw(Draw draw) {
            return draw.chance(60) ? JAVA_NET_HTTP : draw.oneOf(HTTP_URL_CONNECTION, APACHE_HTTPCLIENT5, APACHE_HTTPCLIENT4, OK_HTTP);
        }

        /** Of those that know how long a body is before they connect, and leave all headers to the app; as often each. */
        static Client drawKnowing(Draw draw) {
            return draw.oneOf(JAVA_NET_HTTP, APACHE_HTTPCLIENT5, APACHE_HTTPCLIENT4, OK_HTTP);
        }

        /** Whether the request leaves as it is. */
        boolean canSend(String host, String target) {
            return true;
        }
    }

    Request {
        headers = List.copyOf(headers);
        client = client.canSend(host, target) ? client : Client.JAVA_NET_HTTP;
    }

    static Request get(String host, String target) {
        return new Request(Client.JAVA_NET_HTTP, "GET", host, target, List.of(), "", "200");
    }

    /** The case's own, and those that make it comparable. */
    List<String> allHeaders(String tag) {
        List<String> all = new ArrayList<>(headers);
        // Libraries add these of their own accord, each another value: the app's own replace them.
        all.add("user-agent: comparison");
        all.add("accept: */*");
        all.add("accept-encoding: identity");
        if (!body.isEmpty() && headers.stream().noneMatch(header -> header.startsWith("content-type:"))) {
            all.add("content-type: text/plain");
        }
        all.add(Upstreams.SCRIPT + ": " + script);
        all.add(Upstreams.TAG + ": " + tag);
        return all;
    }

    Request map(UnaryOperator<String> text) {
        return new Request(
                client,
                method,
                text.apply(host),
                text.apply(target),
                headers.stream().map(text).toList(),
                text.apply(body),
                text.apply(script));
    }

    /** The case as {@link AccessLogs} know it; empty: what is written of the request is not compared. */
    Optional<String> writtenUnder() {
        String name = AccessLogs.CASE + ": ";
        return headers.stream().filter(header -> header.startsWith(name)).map(header -> header.substring(name.length())).findFirst();
    }

    /** Requests that are simpler in one respect. */
    List<Request> simpler() {
        List<Request> simpler = new ArrayList<>();
        for (int i = 0; i < headers.size(); i++) {
            List<String> fewer = new ArrayList<>(headers);
            if (fewer.remove(i).startsWith(AccessLogs.CASE)) {
                continue;
            }
            simpler.add(new Request(client, method, host, target, fewer, body, script));
        }
        if (!body.isEmpty()) {
            simpler.add(new Request(client, method, host, target, headers, "", script));
        }
        if (!method.equals("GET")) {
            simpler.add(new Request(client, "GET", host, target, headers, "", script));
        }
        if (!script.equals("200")) {
            simpler.add(new Request(client, method, host, target, headers, body, "200"));
        }
        if (client != Client.JAVA_NET_HTTP) {
            simpler.add(new Request(Client.JAVA_NET_HTTP, method, host, target, headers, body, script));
        }
        int query = target.indexOf('?');
        if (query >= 0) {
            simpler.add(new Request(client, method, host, target.substring(0, query), headers, body, script));
            for (int amp = target.indexOf('&'); amp >= 0; amp = target.indexOf('&', amp + 1)) {
                simpler.add(new Request(client, method, host, target.substring(0, amp), headers, body, script));
                simpler.add(new Request(
                        client, method, host, target.substring(0, query + 1) + target.substring(amp + 1), headers, body, script));
            }
        }
        return simpler;
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(method).append(" http://").append(host).append(target).append("  (").append(client.driver);
        text.append(", upstream: ").append(script).append(')');
        headers.forEach(header -> text.append("\n    ").append(header));
        if (!body.isEmpty()) {
            text.append("\n    body: ").append(body);
        }
        return text.toString();
    }
}
