package io.weft.instrumentation.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.CallOptions;
import io.grpc.Metadata;
import java.io.InputStream;
import org.junit.jupiter.api.Test;

class OutgoingCallTest {
    private final Metadata headers = new Metadata();
    private final OutgoingCall call = new OutgoingCall(null, null, headers, CallOptions.DEFAULT);

    @Test
    void whatIsForTheMeshIsFoundAmongTheAppsMetadata() {
        headers.put(MetadataHeaders.key("accept"), "x-envoy-max-retries");
        headers.put(MetadataHeaders.key("x-env"), "1");
        assertThat(call.hasEnvoyHeaders()).isFalse();

        headers.put(MetadataHeaders.key("X-Envoy-Max-Retries"), "3");
        assertThat(call.hasEnvoyHeaders()).isTrue();
    }

    @Test
    void metadataThatCannotBeWrittenIsLeftToWhoWritesIt() {
        headers.put(Metadata.Key.of("picture-bin", new Unwritten()), "any");

        assertThat(call.hasEnvoyHeaders()).isFalse();
    }

    private static final class Unwritten implements Metadata.BinaryStreamMarshaller<String> {
        @Override
        public InputStream toStream(String value) {
            throw new IllegalStateException("not to be written");
        }

        @Override
        public String parseStream(InputStream stream) {
            return "";
        }
    }
}
