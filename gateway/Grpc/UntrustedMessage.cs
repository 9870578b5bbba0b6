using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;

namespace VoiceGrains.Gateway.Grpc;

/// <summary>Reads protobuf messages that come from anybody: false for what is no such message, and no exception, whatever the bytes.</summary>
/// <remarks>
/// Google.Protobuf 3.25 adds the length of an inner message to its position without looking whether that overflows; it then reads on to the end of the array, and
/// complains of an index instead of the message.
/// </remarks>
public static class UntrustedMessage
{
    public static bool TryParse<T>(MessageParser<T> parser, ReadOnlySpan<byte> bytes, [MaybeNullWhen(false)] out T message) where T : IMessage<T>
    {
        message = default;
        try
        {
            message = parser.ParseFrom(bytes);
            return true;
        }
        catch (Exception exception) when (IsMalformed(exception))
        {
            return false;
        }
    }

    public static bool TryParse<T>(MessageParser<T> parser, ReadOnlySequence<byte> bytes, [MaybeNullWhen(false)] out T message) where T : IMessage<T>
    {
        message = default;
        try
        {
            message = parser.ParseFrom(bytes);
            return true;
        }
        catch (Exception exception) when (IsMalformed(exception))
        {
            return false;
        }
    }

    private static bool IsMalformed(Exception exception) => exception is InvalidProtocolBufferException or IndexOutOfRangeException or ArgumentException;
}
