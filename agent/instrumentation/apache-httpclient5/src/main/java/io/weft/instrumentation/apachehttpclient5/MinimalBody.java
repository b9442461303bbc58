package io.weft.instrumentation.apachehttpclient5;

import java.io.IOException;
import java.util.Set;
import org.apache.hc.core5.http.EntityDetails;
import org.apache.hc.core5.http.nio.AsyncClientExchangeHandler;
import org.apache.hc.core5.http.nio.AsyncEntityProducer;
import org.apache.hc.core5.http.nio.AsyncRequestProducer;
import org.apache.hc.core5.http.nio.DataStreamChannel;

/**
 * What the app's own exchange with a minimal client sends.
 *
 * @param producer by whose word it can be sent again; null: an exchange that the app has made itself, which is asked once
 */
record MinimalBody(AsyncClientExchangeHandler apps, EntityDetails details, AsyncRequestProducer producer) implements AsyncEntityProducer {
    @Override
    public boolean isRepeatable() {
        return producer != null && producer.isRepeatable();
    }

    @Override
    public int available() {
        return apps.available();
    }

    @Override
    public void produce(DataStreamChannel channel) throws IOException {
        apps.produce(channel);
    }

    /** The exchange is told. */
    @Override
    public void failed(Exception cause) {}

    /** It begins again. */
    @Override
    public void releaseResources() {
        if (producer != null) {
            producer.releaseResources();
        }
    }

    @Override
    public long getContentLength() {
        return details.getContentLength();
    }

    @Override
    public String getContentType() {
        return details.getContentType();
    }

    @Override
    public String getContentEncoding() {
        return details.getContentEncoding();
    }

    @Override
    public boolean isChunked() {
        return details.isChunked();
    }

    @Override
    public Set<String> getTrailerNames() {
        return details.getTrailerNames();
    }
}
