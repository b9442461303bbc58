package io.weft.instrumentation.okhttp;

import io.weft.dataplane.Exchange;
import io.weft.instrumentation.ExchangeEnd;
import java.io.IOException;
import okhttp3.Call;
import okhttp3.MediaType;
import okhttp3.ResponseBody;
import okio.Buffer;
import okio.BufferedSource;
import okio.ForwardingSource;
import okio.Okio;

/** A response's body, with an ear on how it comes in and on its end. */
final class WatchedBody extends ResponseBody {
    private final ResponseBody body;
    private final BufferedSource source;

    WatchedBody(ResponseBody body, Call call, Exchange exchange, ExchangeEnd end) {
        this.body = body;
        this.source = Okio.buffer(new ForwardingSource(body.source()) {
            @Override
            public long read(Buffer sink, long byteCount) throws IOException {
                long read;
                exchange.awaitsBytes();
                try {
                    read = super.read(sink, byteCount);
                } catch (IOException e) {
                    end.brokeOff(e, call.isCanceled());
                    throw e;
                }
                if (read < 0) {
                    end.run();
                } else {
                    exchange.bytesReceived(read);
                }
                return read;
            }

            @Override
            public void close() throws IOException {
                end.run();
                super.close();
            }
        });
    }

    @Override
    public MediaType contentType() {
        return body.contentType();
    }

    @Override
    public long contentLength() {
        return body.contentLength();
    }

    @Override
    public BufferedSource source() {
        return source;
    }
}
