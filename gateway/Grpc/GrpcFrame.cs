using System.Buffers;
using System.Buffers.Binary;

namespace VoiceGrains.Gateway.Grpc;

/// <summary>What a look at the head of a request body found.</summary>
internal enum GrpcFrameResult : byte
{
    Complete,
    NeedMore,
    /// <summary>The flag byte is neither 0 nor 1.</summary>
    BadFlag,
    /// <summary>The length is above the limit.</summary>
    TooLarge,
}

/// <summary>
/// A length-prefixed message (grpc/doc/PROTOCOL-HTTP2.md): one byte that says whether it is compressed, its length in 4 bytes, big-endian, and its bytes.
/// </summary>
/// <param name="Compressed">By the request's or answer's <c>grpc-encoding</c>.</param>
/// <param name="Payload">Not copied.</param>
internal readonly record struct GrpcFrame(bool Compressed, ReadOnlySequence<byte> Payload)
{
    public const int PrefixLength = 5;

    /// <summary>Reads the first message of untrusted bytes. Never throws; a bad prefix is told before its message has come.</summary>
    /// <param name="buffer">What has come and is not consumed.</param>
    /// <param name="maxLength">Largest payload, bytes.</param>
    /// <param name="frame">The message when the result is <see cref="GrpcFrameResult.Complete"/>.</param>
    /// <param name="length">The payload's length, once known.</param>
    public static GrpcFrameResult TryRead(ReadOnlySequence<byte> buffer, int maxLength, out GrpcFrame frame, out uint length)
    {
        (frame, length) = (default, 0);
        if (buffer.IsEmpty) return GrpcFrameResult.NeedMore;
        var flag = buffer.FirstSpan.IsEmpty ? buffer.ToArray()[0] : buffer.FirstSpan[0];
        if (flag > 1) return GrpcFrameResult.BadFlag;
        if (buffer.Length < PrefixLength) return GrpcFrameResult.NeedMore;

        Span<byte> prefix = stackalloc byte[PrefixLength];
        buffer.Slice(0, PrefixLength).CopyTo(prefix);
        length = BinaryPrimitives.ReadUInt32BigEndian(prefix[1..]);
        if (length > (uint)maxLength) return GrpcFrameResult.TooLarge;
        if (buffer.Length < PrefixLength + length) return GrpcFrameResult.NeedMore;
        frame = new GrpcFrame(flag == 1, buffer.Slice(PrefixLength, length));
        return GrpcFrameResult.Complete;
    }

    /// <summary>Writes a prefix into the first <see cref="PrefixLength"/> bytes.</summary>
    public static void WritePrefix(Span<byte> to, bool compressed, int length)
    {
        to[0] = compressed ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteUInt32BigEndian(to[1..], (uint)length);
    }
}
