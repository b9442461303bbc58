package com.example.clients;

import feign.Feign;
import feign.Headers;
import feign.Param;
import feign.RequestLine;
import feign.codec.Decoder;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.client.HttpRequest;
import io.vertx.ext.web.client.HttpResponse;
import io.vertx.ext.web.client.WebClient;
import io.vertx.ext.web.client.predicate.ResponsePredicate;
import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.client.Client;
import jakarta.ws.rs.client.ClientBuilder;
import jakarta.ws.rs.client.Entity;
import jakarta.ws.rs.client.Invocation;
import jakarta.ws.rs.core.Response;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.util.concurrent.CompletionException;
import okhttp3.RequestBody;
import okhttp3.ResponseBody;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.ResponseEntity;
import retrofit2.Call;
import retrofit2.HttpException;
import retrofit2.Retrofit;
import retrofit2.http.Body;
import retrofit2.http.GET;
import retrofit2.http.Header;
import retrofit2.http.POST;
import retrofit2.http.Url;

/** What others than Spring have built on such clients. */
@Configuration
class OtherClients {
    interface RetrofitCalls {
        @GET
        Call<ResponseBody> get(@Url String url, @Header("x-canary") String canary);

        @POST
        Call<ResponseBody> post(@Url String url, @Header("x-canary") String canary, @Body RequestBody body);
    }

    @Headers("x-canary: {canary}")
    interface FeignCalls {
        @RequestLine("GET")
        ResponseEntity<String> get(URI url, @Param("canary") String canary);

        @RequestLine("POST")
        ResponseEntity<String> post(URI url, @Param("canary") String canary, String body);
    }

    @Bean("retrofit")
    Sender retrofit() {
        RetrofitCalls calls = new Retrofit.Builder().baseUrl("http://not-used/").build().create(RetrofitCalls.class);
        return (url, canary, body) -> {
            try {
                retrofit2.Response<ResponseBody> answer =
                        (body == null ? calls.get(url.toString(), canary) : calls.post(url.toString(), canary, RequestBody.create(body, null))).execute();
                if (!answer.isSuccessful()) {
                    throw new HttpException(answer);
                }
                return ResponseEntity.status(answer.code()).header("x-mesh", answer.headers().get("x-mesh")).body(answer.body().string());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        };
    }

    @Bean("feign-ok-http")
    Sender feignOverOkHttp(Decoder decoder) {
        FeignCalls calls = Feign.builder().client(new feign.okhttp.OkHttpClient()).decoder(decoder).target(FeignCalls.class, "http://not-used");
        return (url, canary, body) -> body == null ? calls.get(url, canary) : calls.post(url, canary, body);
    }

    @Bean("jersey")
    Sender jersey() {
        Client client = ClientBuilder.newClient();
        return (url, canary, body) -> {
            Invocation.Builder request = client.target(url).request().header("x-canary", canary);
            try (Response answer = body == null ? request.get() : request.post(Entity.text(body))) {
                if (answer.getStatus() != Response.Status.OK.getStatusCode()) {
                    throw new WebApplicationException(answer);
                }
                return ResponseEntity.ok().header("x-mesh", answer.getHeaderString("x-mesh")).body(answer.readEntity(String.class));
            }
        };
    }

    @Bean("vertx-web-client")
    Sender vertxWebClient() {
        WebClient client = WebClient.create(Vertx.vertx());
        return (url, canary, body) -> {
            HttpRequest<Buffer> request = client.requestAbs(body == null ? HttpMethod.GET : HttpMethod.POST, url.toString())
                    .putHeader("x-canary", canary).expect(ResponsePredicate.SC_SUCCESS);
            HttpResponse<Buffer> answer = answer(request, body);
            return ResponseEntity.status(answer.statusCode()).header("x-mesh", answer.getHeader("x-mesh")).body(answer.bodyAsString());
        };
    }

    private static HttpResponse<Buffer> answer(HttpRequest<Buffer> request, String body) {
        try {
            return (body == null ? request.send() : request.sendBuffer(Buffer.buffer(body))).toCompletionStage().toCompletableFuture().join();
        } catch (CompletionException e) {
            throw new IllegalStateException(e.getCause());
        }
    }
}
