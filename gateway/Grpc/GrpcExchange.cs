using System.Buffers;
using System.IO.Pipelines;
using Google.Protobuf;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace VoiceGrains.Gateway.Grpc;

/// <summary>One gRPC call on its HTTP/2 stream: messages in, messages out, the status at the end (grpc/doc/PROTOCOL-HTTP2.md).</summary>
internal sealed class GrpcExchange(HttpContext http, GrpcOptions options)
{
    private const int CancelError = 8;      // RFC 9113 §7

    private readonly bool _compresses = GrpcCompression.AcceptsGzip(http.Request.Headers["grpc-accept-encoding"]);
    private readonly ArrayBufferWriter<byte> _plain = new(256);

    public HttpContext Http => http;

    /// <summary>Whether a write was given up while the client's flow control held it back: a status would wait behind it.</summary>
    public bool IsStuck { get; private set; }

    /// <summary>Reads the one message of a unary or server-streaming call.</summary>
    /// <exception cref="GrpcException">There is none, more than one, or it is too large or broken.</exception>
    public async Task<T> ReadOneAsync<T>(MessageParser<T> parser, CancellationToken cancellationToken) where T : IMessage<T>
    {
        var encoding = http.Request.Headers["grpc-encoding"].ToString();
        if (encoding is not ("" or GrpcCompression.Identity or GrpcCompression.Gzip))
            throw new GrpcException(GrpcStatusCode.Unimplemented, "The message's grpc-encoding is not supported; identity and gzip are.");
        var message = default(T);
        while (true)
        {
            var read = await http.Request.BodyReader.ReadAsync(cancellationToken);
            var result = GrpcFrame.TryRead(read.Buffer, options.MaxMessageBytes, out var frame, out _);
            if (result == GrpcFrameResult.BadFlag) throw new GrpcException(GrpcStatusCode.Internal, "A message's compression flag is neither 0 nor 1.");
            if (result == GrpcFrameResult.TooLarge) throw GrpcCompression.TooLarge(options.MaxMessageBytes);
            if (message is not null && !read.Buffer.IsEmpty) throw new GrpcException(GrpcStatusCode.Internal, "The method takes one message; more than one came.");
            if (result == GrpcFrameResult.Complete)
            {
                message = Parse(parser, frame, encoding);
                http.Request.BodyReader.AdvanceTo(frame.Payload.End);
                continue;
            }
            http.Request.BodyReader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            if (!read.IsCompleted) continue;
            if (message is not null) return message;
            throw new GrpcException(GrpcStatusCode.Internal, "The request ended before its message was whole.");
        }
    }

    /// <summary>Sends the headers now, for streams whose first message may be long in coming.</summary>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        SetHeaders();
        return http.Response.Body.FlushAsync(cancellationToken);        // starting alone leaves them in the server's buffer
    }

    /// <summary>Writes a message and waits until the client's flow control has taken it, as far as the server's buffer does not hold it.</summary>
    public async Task WriteAsync(IMessage message, CancellationToken cancellationToken)
    {
        if (!http.Response.HasStarted) SetHeaders();
        WriteFrame(message, http.Response.BodyWriter);
        IsStuck = true;
        var flushed = await http.Response.BodyWriter.FlushAsync(cancellationToken);
        cancellationToken.ThrowIfCancellationRequested();
        IsStuck = false;
        if (flushed.IsCompleted) throw new OperationCanceledException("The client has gone.");
    }

    /// <summary>Ends the call: in trailers, or in the headers alone where nothing was sent yet.</summary>
    public void End(GrpcFailure? failure)
    {
        var fields = http.Response.Headers;
        if (!http.Response.HasStarted) SetHeaders();
        if (http.Response.HasStarted || failure is null) fields = http.Features.GetRequiredFeature<IHttpResponseTrailersFeature>().Trailers;
        fields["grpc-status"] = $"{(int)(failure?.Code ?? GrpcStatusCode.Ok)}";
        if (failure is null) return;
        fields["grpc-message"] = GrpcText.Encode(failure.Message);
        if (failure.StatusDetails() is { } details) fields["grpc-status-details-bin"] = Convert.ToBase64String(details).TrimEnd('=');
    }

    /// <summary>Ends the call for a client that takes nothing any more, not even a status.</summary>
    public void Reset() => http.Features.Get<IHttpResetFeature>()?.Reset(CancelError);

    private void SetHeaders()
    {
        http.Response.ContentType = "application/grpc";
        http.Response.Headers["grpc-accept-encoding"] = GrpcCompression.Accepted;
        if (_compresses) http.Response.Headers["grpc-encoding"] = GrpcCompression.Gzip;
    }

    private T Parse<T>(MessageParser<T> parser, GrpcFrame frame, string encoding) where T : IMessage<T>
    {
        if (frame.Compressed && encoding != GrpcCompression.Gzip)
            throw new GrpcException(GrpcStatusCode.Internal, "A message is marked as compressed, but the request names no compression.");
        var payload = frame.Compressed ? GrpcCompression.Decompress(frame.Payload, options.MaxMessageBytes) : frame.Payload;
        return UntrustedMessage.TryParse(parser, payload, out var message) ? message : throw new GrpcException(GrpcStatusCode.Internal, $"The message is not a valid {typeof(T).Name}.");
    }

    private void WriteFrame(IMessage message, PipeWriter to)
    {
        _plain.ResetWrittenCount();
        message.WriteTo(_plain);
        var payload = _plain.WrittenSpan;
        if (_compresses && payload.Length >= options.CompressFromBytes)
        {
            var packed = new ArrayBufferWriter<byte>(payload.Length / 2 + 64);
            GrpcCompression.Compress(payload, packed);
            WriteFrame(to, compressed: true, packed.WrittenSpan);
        }
        else WriteFrame(to, compressed: false, payload);
    }

    private static void WriteFrame(PipeWriter to, bool compressed, ReadOnlySpan<byte> payload)
    {
        GrpcFrame.WritePrefix(to.GetSpan(GrpcFrame.PrefixLength), compressed, payload.Length);
        to.Advance(GrpcFrame.PrefixLength);
        to.Write(payload);
    }
}
