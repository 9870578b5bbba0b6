using System.Runtime.InteropServices;

namespace VoiceGrains.Providers.Synthesis.Espeak;

/// <summary>The part of espeak-ng 1.51's C API that we call (speak_lib.h, revision 12). All of it works on one global state.</summary>
internal static unsafe partial class EspeakNative
{
    public const string Library = "libespeak-ng.so.1";
    public const int SynchronousOutput = 2, DoNotExit = 0x8000, Ok = 0, Utf8 = 1, ByCharacter = 1;
    public const int Rate = 1, Pitch = 3;
    public const int EventListEnd = 0, EventWord = 1, EventEnd = 5;

    [LibraryImport(Library, EntryPoint = "espeak_Initialize")]
    public static partial int Initialize(int output, int bufferMilliseconds, nint path, int options);

    [LibraryImport(Library, EntryPoint = "espeak_SetSynthCallback")]
    public static partial void SetCallback(delegate* unmanaged<short*, int, Event*, int> callback);

    [LibraryImport(Library, EntryPoint = "espeak_SetVoiceByName", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SetVoice(string name);

    [LibraryImport(Library, EntryPoint = "espeak_SetParameter")]
    public static partial int SetParameter(int parameter, int value, int relative);

    [LibraryImport(Library, EntryPoint = "espeak_Synth")]
    public static partial int Synthesize(byte* text, nuint size, uint position, int positionType, uint endPosition, uint flags, uint* identifier, nint userData);

    [LibraryImport(Library, EntryPoint = "espeak_ListVoices")]
    public static partial Voice** ListVoices(nint specification);

    /// <summary><c>espeak_EVENT</c>. Positions are in characters from 1, times in milliseconds.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Event
    {
        public int Type;
        public uint Identifier;
        public int TextPosition, Length, Milliseconds, Sample;
        public nint UserData;
        public long Id;
    }

    /// <summary><c>espeak_VOICE</c>. <see cref="Languages"/> is a list of pairs: a priority byte and a text; an empty text ends it.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Voice
    {
        public nint Name, Languages, Identifier;
        public byte Gender, Age, Variant, Reserved;
        public int Score;
        public nint Spare;
    }
}
