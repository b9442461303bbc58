package io.weft.instrumentation.javanethttp;

import io.weft.dataplane.Exchange;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.ResponseInfo;

/** The app's handler, with the headers that the app is to see, and an ear on the end of the body. */
record WatchedHandler<T>(BodyHandler<T> handler, HttpHeaders headers, Exchange mesh, BodyEnd end) implements BodyHandler<T> {

    @Override
    public BodySubscriber<T> apply(ResponseInfo info) {
        ResponseInfo seen = info.headers() == headers ? info : new Head(info.statusCode(), headers, info.version());
        BodySubscriber<T> subscriber = handler.apply(seen);
        if (subscriber == null) {
            // Nobody hears the end of it; what the app is told of that is the JDK's to say.
            end.run();
            return null;
        }
        return new WatchedSubscriber<>(subscriber, mesh, end);
    }

    private record Head(int statusCode, HttpHeaders headers, HttpClient.Version version) implements ResponseInfo {}
}
