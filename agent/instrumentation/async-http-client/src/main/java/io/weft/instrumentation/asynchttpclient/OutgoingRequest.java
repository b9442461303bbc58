package io.weft.instrumentation.asynchttpclient;

import io.netty.buffer.ByteBufUtil;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpRequest;
import io.weft.dataplane.Exchange;
import io.weft.dataplane.RequestCopy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.asynchttpclient.Request;
import org.asynchttpclient.request.body.generator.BodyGenerator;
import org.asynchttpclient.request.body.generator.FeedableBodyGenerator;
import org.asynchttpclient.request.body.generator.InputStreamBodyGenerator;
import org.asynchttpclient.request.body.multipart.InputStreamPart;
import org.asynchttpclient.request.body.multipart.Part;

/** One hop as the mesh sees it: with all that the library has added. */
final class OutgoingRequest extends Exchange {
    private final Replay replay;
    private HttpRequest request;

    /** Written before the exchange is asked for the first time. */
    private Hop hop;

    /** @param made by the library */
    OutgoingRequest(Request apps, HttpRequest made) {
        request = made;
        replay = replay(apps, made);
    }

    private static Replay replay(Request apps, HttpRequest made) {
        if (apps.getStreamData() != null || isOneShot(apps.getBodyGenerator())) {
            return Replay.ONE_SHOT;
        }
        List<Part> parts = apps.getBodyParts() == null ? List.of() : apps.getBodyParts();
        for (Part part : parts) {
            if (part instanceof InputStreamPart) {
                return Replay.ONE_SHOT;
            }
        }
        return made instanceof FullHttpRequest full && !full.content().isReadable() ? Replay.NO_BODY : Replay.REPEATABLE;
    }

    /** A generator of the app's own is to make the same body as often as it is asked: the library does so after a challenge. */
    private static boolean isOneShot(BodyGenerator generator) {
        return generator instanceof InputStreamBodyGenerator || generator instanceof FeedableBodyGenerator;
    }

    void drivenBy(Hop by) {
        hop = by;
    }

    /** Made once more, for a further attempt. */
    void isSentAs(HttpRequest made) {
        request = made;
    }

    @Override
    protected void abort() {
        hop.abort();
    }

    @Override
    public String method() {
        return request.method().name();
    }

    @Override
    public String scheme() {
        return "http";
    }

    @Override
    public String authority() {
        return request.headers().get(HttpHeaderNames.HOST);
    }

    @Override
    public String path() {
        return request.uri();
    }

    @Override
    public String header(String name) {
        return NettyHeaders.joined(request.headers(), name);
    }

    @Override
    public List<String> values(String name) {
        return request.headers().getAll(name);
    }

    @Override
    protected boolean hasEnvoyHeaders() {
        // To ask for their names makes a set.
        for (Map.Entry<String, String> header : request.headers()) {
            if (header.getKey().regionMatches(true, 0, "x-envoy-", 0, 8)) {
                return true;
            }
        }
        return false;
    }

    @Override
    public long bodyLength() {
        if (replay == Replay.NO_BODY) {
            return 0;
        }
        String length = request.headers().get(HttpHeaderNames.CONTENT_LENGTH);
        try {
            return length == null ? -1 : Long.parseLong(length);
        } catch (NumberFormatException appsOwn) {
            return -1;
        }
    }

    @Override
    public Replay replay() {
        return replay;
    }

    @Override
    protected RequestCopy copy(int maxBodyBytes) {
        if (!(request instanceof FullHttpRequest full) || full.content().readableBytes() > maxBodyBytes) {
            return null;
        }
        HttpHeaders headers = full.headers();
        List<Map.Entry<String, String>> copied = new ArrayList<>(headers.entries());
        return new RequestCopy(copied, ByteBufUtil.getBytes(full.content()));
    }
}
