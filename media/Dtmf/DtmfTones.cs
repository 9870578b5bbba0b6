namespace VoiceGrains.Media;

/// <summary>The tone pairs of push-button telephones (ITU-T Q.23).</summary>
public static class DtmfTones
{
    internal static readonly int[] RowsHz = [697, 770, 852, 941];
    internal static readonly int[] ColumnsHz = [1209, 1336, 1477, 1633];
    private const string Keys = "123A456B789C*0#D";
    private const double RampSeconds = 0.002;       // a hard edge clicks in all bands

    /// <summary>Whether a character is 0-9, *, #, A-D.</summary>
    public static bool IsDigit(char digit) => Keys.Contains(digit);

    /// <summary>Sound of digits, each followed by a pause.</summary>
    /// <param name="digits">0-9, *, #, A-D.</param>
    /// <param name="sampleRateHz">8,000 to 48,000.</param>
    /// <param name="tone">Length of each tone. Default 100 ms; receivers need 40 ms (ITU-T Q.24).</param>
    /// <param name="pause">Silence after each tone. Default 100 ms; receivers need 40 ms.</param>
    /// <param name="dbfs">Level of each of the two tones. Default -12.</param>
    /// <exception cref="ArgumentException">A character is no digit.</exception>
    public static short[] Generate(string digits, int sampleRateHz, TimeSpan? tone = null, TimeSpan? pause = null, double dbfs = -12)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sampleRateHz, 8_000);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sampleRateHz, 48_000);
        var toneSamples = Samples(tone, sampleRateHz);
        var pcm = new short[digits.Length * (toneSamples + Samples(pause, sampleRateHz))];
        for (var i = 0; i < digits.Length; i++)
        {
            var key = Keys.IndexOf(digits[i]);
            if (key < 0)
                throw new ArgumentException($"'{digits[i]}' is no DTMF digit.", nameof(digits));
            Fill(pcm.AsSpan(i * pcm.Length / digits.Length, toneSamples), RowsHz[key / 4], ColumnsHz[key % 4], sampleRateHz, dbfs);
        }
        return pcm;
    }

    internal static char Digit(int row, int column) => Keys[4 * row + column];

    private static int Samples(TimeSpan? time, int sampleRateHz) => (int)((time ?? TimeSpan.FromMilliseconds(100)).TotalSeconds * sampleRateHz);

    private static void Fill(Span<short> pcm, int rowHz, int columnHz, int sampleRateHz, double dbfs)
    {
        var amplitude = 32768 * Math.Sqrt(2) * Pcm.Gain(dbfs);      // a level is an RMS one
        for (var i = 0; i < pcm.Length; i++)
        {
            var time = (double)i / sampleRateHz;
            var ramp = Math.Min(1, Math.Min(time, (double)(pcm.Length - i) / sampleRateHz) / RampSeconds);
            pcm[i] = Pcm.Saturate((float)(ramp * amplitude * (Math.Sin(2 * Math.PI * rowHz * time) + Math.Sin(2 * Math.PI * columnHz * time))));
        }
    }
}
