using System.Buffers;
using System.Buffers.Text;
using System.Runtime.InteropServices;

namespace VoiceGrains.Providers.Synthesis.External;

/// <summary>What a provider's messages bring of one utterance: 16-bit little-endian samples and the words in them.</summary>
internal sealed class SpokenSound
{
    private static readonly TimeSpan LongestUtterance = TimeSpan.FromDays(1);

    private readonly WordAligner _words;
    private readonly CharacterWords _characters;
    private readonly List<WordTiming> _timings = [];
    private short[] _pcm = [];
    private byte _odd;
    private bool _hasOdd;

    public SpokenSound(int sampleRateHz, WordAligner words) => (SampleRateHz, _words, _characters) = (sampleRateHz, words, new CharacterWords(words));

    public int SampleRateHz { get; }

    /// <summary>Samples so far.</summary>
    public long Samples { get; private set; }

    /// <summary>Length of the sound so far.</summary>
    public TimeSpan Length => TimeSpan.FromSeconds((double)Samples / SampleRateHz);

    /// <summary>Whether every word of the text so far has been timed.</summary>
    public bool HasAllWords => _words.HasToldAll;

    /// <summary>More samples; a message may end within one.</summary>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty) return;
        var held = _hasOdd ? 1 : 0;
        var room = Append((bytes.Length + held) / sizeof(short));
        if (!room.IsEmpty)
        {
            if (_hasOdd) room[0] = _odd;
            var taken = room.Length - held;
            bytes[..taken].CopyTo(room[held..]);
            bytes = bytes[taken..];
        }
        _hasOdd = !bytes.IsEmpty;
        if (_hasOdd) _odd = bytes[0];
    }

    /// <summary>More samples in base64, as it stands in the message. Nothing is copied in between.</summary>
    /// <exception cref="InvalidDataException">It is no base64.</exception>
    public void AddBase64(ReadOnlySpan<byte> text)
    {
        var padding = text.EndsWith("=="u8) ? 2 : text.EndsWith("="u8) ? 1 : 0;
        var length = text.Length / 4 * 3 - padding;
        if (text.Length % 4 != 0 || length < 0) throw new InvalidDataException("its sound is no base64");
        if (!_hasOdd && length % sizeof(short) == 0)
        {
            if (length > 0) Decode(text, Append(length / sizeof(short)));
            return;
        }
        var bytes = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            Decode(text, bytes.AsSpan(0, length));
            Add(bytes.AsSpan(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    /// <summary>The provider timed a word, in seconds from the utterance's first sample.</summary>
    public void AddWord(ReadOnlySpan<char> word, double startSeconds, double endSeconds) => _words.Add(word, Time(startSeconds), Time(endSeconds), _timings);

    /// <summary>The provider timed a character, in seconds from the utterance's first sample.</summary>
    public void AddCharacter(ReadOnlySpan<char> character, double startSeconds, double endSeconds)
        => _characters.Add(character, Time(startSeconds), Time(endSeconds), _timings);

    /// <summary>No more characters in this message.</summary>
    public void PauseCharacters() => _characters.Pause(_timings);

    /// <summary>What has come since the last time, if anything. Words whose sound is still to come wait for it.</summary>
    public SpeechChunk? Take()
    {
        if (_pcm.Length == 0 && (_timings.Count == 0 || _timings[0].Start >= Length)) return null;
        return TakeAll();
    }

    private SpeechChunk TakeAll()
    {
        var chunk = new SpeechChunk(_pcm, SampleRateHz, _timings.Count == 0 ? [] : _timings.ToArray());
        _pcm = [];
        _timings.Clear();
        return chunk;
    }

    /// <summary>All was spoken: the rest, which covers the text to its end.</summary>
    public SpeechChunk Finish()
    {
        _characters.EndWord(_timings);
        _words.Finish(_timings);
        return TakeAll() with { TextEnd = _words.TextLength };
    }

    private static TimeSpan Time(double seconds) => TimeSpan.FromSeconds(double.IsNaN(seconds) ? 0 : Math.Clamp(seconds, 0, LongestUtterance.TotalSeconds));

    /// <summary>Room for so many samples after those that wait; usually there are none.</summary>
    private Span<byte> Append(int samples)
    {
        var before = _pcm.Length;
        if (before == 0) _pcm = new short[samples];
        else Array.Resize(ref _pcm, before + samples);
        Samples += samples;
        return MemoryMarshal.AsBytes(_pcm.AsSpan(before));
    }

    private static void Decode(ReadOnlySpan<byte> text, Span<byte> bytes)
    {
        if (Base64.DecodeFromUtf8(text, bytes, out var consumed, out var written) != OperationStatus.Done || consumed != text.Length || written != bytes.Length)
            throw new InvalidDataException("its sound is no base64");
    }
}
