namespace VoiceGrains.Media.Tests.Speech;

public class PowerSpectrumTests
{
    [Fact]
    public void Power_EqualsThePlainFourierSum()
    {
        var samples = Noise.White(PowerSpectrum.Size, -10).Select(s => s / 32768f).ToArray();
        var power = new float[PowerSpectrum.Bins];
        new PowerSpectrum().Compute(samples, power);
        for (var k = 1; k < PowerSpectrum.Bins; k++)
        {
            var (re, im) = (0.0, 0.0);
            for (var i = 0; i < PowerSpectrum.Size; i++)
            {
                var windowed = samples[i] * (0.5 - 0.5 * Math.Cos(2 * Math.PI * (i + 0.5) / PowerSpectrum.Size));
                re += windowed * Math.Cos(2 * Math.PI * k * i / PowerSpectrum.Size);
                im -= windowed * Math.Sin(2 * Math.PI * k * i / PowerSpectrum.Size);
            }
            var expected = (re * re + im * im) * 2 / PowerSpectrum.Size / (0.375 * PowerSpectrum.Size);
            Assert.InRange(power[k] - expected, -1e-6 - 1e-3 * expected, 1e-6 + 1e-3 * expected);
        }
    }

    [Fact]
    public void Power_OfASine_SumsUpToItsMeanSquare()
    {
        var samples = Enumerable.Range(0, PowerSpectrum.Size).Select(i => (float)(0.5 * Math.Sin(2 * Math.PI * 1_000 * i / 16_000))).ToArray();
        var power = new float[PowerSpectrum.Bins];
        new PowerSpectrum().Compute(samples, power);
        Assert.Equal(0.125, power.Sum(), 3);
    }
}
