using System.Buffers;
using System.IO.Compression;

namespace VoiceGrains.Gateway.Grpc;

/// <summary>gzip, the one compression that every gRPC client has.</summary>
internal static class GrpcCompression
{
    public const string Gzip = "gzip", Identity = "identity", Accepted = "identity,gzip";

    /// <summary>Whether a <c>grpc-accept-encoding</c> header names gzip.</summary>
    public static bool AcceptsGzip(string? header)
    {
        foreach (var range in header.AsSpan().Split(','))
            if (header.AsSpan()[range].Trim().Equals(Gzip, StringComparison.Ordinal)) return true;
        return false;
    }

    /// <exception cref="GrpcException">The bytes are no gzip, or hold more than the limit: no more than that is ever unpacked.</exception>
    public static ReadOnlySequence<byte> Decompress(ReadOnlySequence<byte> compressed, int maxLength)
    {
        var unpacked = new ArrayBufferWriter<byte>((int)Math.Min(Math.Max(compressed.Length * 2, 256), maxLength));
        try
        {
            using var gzip = new GZipStream(new MemoryStream(compressed.ToArray()), CompressionMode.Decompress);
            while (true)
            {
                var room = unpacked.GetMemory(1024);
                var read = gzip.Read(room.Span);
                if (read == 0) break;
                unpacked.Advance(read);
                if (unpacked.WrittenCount > maxLength) throw TooLarge(maxLength);
            }
        }
        catch (InvalidDataException)
        {
            throw new GrpcException(GrpcStatusCode.Internal, "A message is marked as compressed but is not valid gzip.");
        }
        return new ReadOnlySequence<byte>(unpacked.WrittenMemory);
    }

    /// <summary>Appends the compressed form.</summary>
    public static void Compress(ReadOnlySpan<byte> plain, IBufferWriter<byte> to)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(plain);
        to.Write(packed.GetBuffer().AsSpan(0, (int)packed.Length));
    }

    public static GrpcException TooLarge(int maxLength) => new(GrpcStatusCode.ResourceExhausted, $"The message is larger than the limit of {maxLength} bytes.");
}
