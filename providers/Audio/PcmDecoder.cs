using System.Runtime.InteropServices;
using VoiceGrains.Media;

namespace VoiceGrains.Providers.Audio;

/// <summary>
/// Turns the bytes of an answer, however they are cut, into mono 16-bit samples: raw little-endian PCM, or WAV (in any form that
/// <see cref="WavHeader"/> reads), told apart by their first bytes. A WAV header's rate wins over the declared one. Throws <see cref="InvalidDataException"/> for anything else.
/// </summary>
/// <param name="declaredRateHz">Rate of raw PCM; 0 when nobody said, then only WAV is understood.</param>
internal sealed class PcmDecoder(int declaredRateHz)
{
    private static readonly WavLimits Limits = new() { MinSampleRateHz = 4_000, MaxChannels = 8, MaxHeaderBytes = 64 * 1024 };
    private static readonly WavHeader Raw = new(WavEncoding.Signed16, 0, 1, 0, -1);

    private readonly List<byte> _held = [];      // an unfinished header or sample frame
    private State _state = State.Sniffing;
    private long _dataLeft = long.MaxValue;
    private WavHeader _format = Raw;

    private enum State : byte { Sniffing, Header, Data }

    /// <summary>Rate of the samples; valid once there are any.</summary>
    public int SampleRateHz { get; private set; } = declaredRateHz;

    /// <summary>A new part begins, such as a line of JSON Lines. It may bring its own WAV header; without one it goes on in the former's format.</summary>
    public void BeginPart()
    {
        if (_state == State.Data && _held.Count > 0) return;   // it goes on within a sample
        _held.Clear();
        (_state, _dataLeft) = (State.Sniffing, long.MaxValue);
    }

    /// <summary>Decodes more bytes. The array is the caller's; it is empty while a header or sample is incomplete.</summary>
    public short[] Decode(ReadOnlySpan<byte> bytes)
    {
        if (_state == State.Data && _held.Count == 0) return DecodeData(bytes);
        _held.AddRange(bytes);
        if (_state == State.Sniffing && !Sniff()) return [];
        if (_state == State.Header && !TryReadHeader()) return [];
        byte[] rest = [.. _held];
        _held.Clear();
        return DecodeData(rest);
    }

    /// <summary>The answer is over.</summary>
    public void Complete()
    {
        if (_state == State.Header) throw new InvalidDataException("the WAV header is cut off");
    }

    /// <summary>False while it is open whether a WAV header comes.</summary>
    private bool Sniff()
    {
        ReadOnlySpan<byte> riff = "RIFF"u8;
        for (var i = 0; i < Math.Min(_held.Count, riff.Length); i++)
        {
            if (_held[i] == riff[i]) continue;
            if (SampleRateHz == 0) throw new InvalidDataException("it is raw PCM but no sample rate is known");
            _state = State.Data;
            return true;
        }
        if (_held.Count < riff.Length) return false;
        _state = State.Header;
        return true;
    }

    /// <summary>False while the header is incomplete.</summary>
    private bool TryReadHeader()
    {
        if (!WavHeader.TryParse(CollectionsMarshal.AsSpan(_held), Limits, out var header, out var error))
        {
            if (error.Fault == WavFault.TooShort) return false;
            throw new InvalidDataException($"it is no WAV that we can read: {error.Fault} ({error.Value}) at byte {error.Offset}");
        }
        _format = header;
        _dataLeft = header.DataLength >= 0 ? header.DataLength : long.MaxValue;
        SampleRateHz = header.SampleRateHz;
        _held.RemoveRange(0, header.DataOffset);
        _state = State.Data;
        return true;
    }

    private short[] DecodeData(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > _dataLeft) bytes = bytes[..(int)_dataLeft];   // what follows the data chunk is no sound
        if (_dataLeft != long.MaxValue) _dataLeft -= bytes.Length;
        var frame = _format.BytesPerFrame;
        var whole = bytes.Length / frame;
        var samples = new short[whole];
        _format.Decode(bytes[..(whole * frame)], samples);
        if (bytes.Length > whole * frame)
        {
            _held.AddRange(bytes[(whole * frame)..]);
            if (_dataLeft != long.MaxValue) _dataLeft += bytes.Length - whole * frame;   // they come again
        }
        return samples;
    }
}
