package io.weft.instrumentation.grpc;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.InternalMetadata;
import io.grpc.Metadata;
import io.grpc.Status;
import io.weft.dataplane.LocalReply;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** How a call ended, read as the library reads it. */
class AnswerTest {
    private static final Metadata.Key<String> TYPE = MetadataHeaders.key("content-type");
    private static final Metadata.Key<String> RETRY_AFTER = MetadataHeaders.key("retry-after");

    @Test
    void aReplyOfTheMeshIsAStatusWithItsHeaders() {
        LocalReply reply = new LocalReply(503, List.of(Map.entry("retry-after", "7")), "no host: 100 % ü".getBytes(UTF_8));

        Answer answer = Answer.of(reply.forGrpc());

        assertThat(answer.status().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(answer.status().getDescription()).isEqualTo("no host: 100 % ü");
        assertThat(answer.trailers().get(RETRY_AFTER)).isEqualTo("7");
        assertThat(answer.trailers().keys()).doesNotContain("grpc-status", "grpc-message");
    }

    @Test
    void aReplyThatIsNotOfGrpcIsWhatTheLibraryMakesOfItsStatus() {
        Answer answer = Answer.of(LocalReply.of(403, "not for you"));

        assertThat(answer.status().getCode()).isEqualTo(Status.Code.PERMISSION_DENIED);
        assertThat(answer.status().getDescription()).contains("403").contains("not for you");
    }

    @Test
    void onlyAPeerHasATypeOfContentOrAnHttpStatus() {
        assertThat(Answer.ofPeer(Status.UNAVAILABLE, new Metadata())).isNull();

        Metadata trailers = new Metadata();
        trailers.put(TYPE, "application/grpc");
        Answer answer = Answer.ofPeer(Status.NOT_FOUND.withDescription("gone"), trailers);
        assertThat(answer.httpStatus()).isEqualTo(200);
        assertThat(answer.headers().header("grpc-status")).isEqualTo("5");
        assertThat(answer.headers().header("grpc-message")).isEqualTo("gone");
        assertThat(answer.headers().header("content-type")).isEqualTo("application/grpc");

        Metadata ofProxy = InternalMetadata.newMetadata(
                ":status".getBytes(UTF_8), "502".getBytes(UTF_8), "content-type".getBytes(UTF_8), "text/html".getBytes(UTF_8));
        Answer fromProxy = Answer.ofPeer(Status.UNAVAILABLE, ofProxy);
        assertThat(fromProxy.httpStatus()).isEqualTo(502);
        assertThat(fromProxy.headers().header("grpc-status")).isNull();
    }
}
