using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace VoiceGrains.Server.Tests.Deployment;

/// <summary>The Kubernetes manifests, rendered by kustomize and held against the Kubernetes schemas: by Node, in <c>tests/Kubernetes</c>.</summary>
public sealed class ManifestTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(300);

    [Fact]
    public async Task Manifests_RenderAndAreValid()
    {
        var folder = Folder();
        Assert.SkipUnless(Directory.Exists(Path.Combine(folder, "node_modules")), "The Node packages are not installed: run ./test, or npm ci in tests/Kubernetes.");
        var startInfo = new ProcessStartInfo("node", ["--test", "--test-reporter=tap", "manifests.test.mjs", "schema.test.mjs"])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var late = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        late.CancelAfter(Limit);
        using var node = Process.Start(startInfo)!;
        try
        {
            var (output, errors) = (node.StandardOutput.ReadToEndAsync(late.Token), node.StandardError.ReadToEndAsync(late.Token));
            await node.WaitForExitAsync(late.Token);
            var printed = await output + await errors;
            Assert.True(node.ExitCode == 0, printed);
            Assert.DoesNotMatch("(?m)^# pass 0$", printed);
            Assert.Matches("(?m)^# pass [0-9]+$", printed);
        }
        finally
        {
            if (!node.HasExited)
                node.Kill(entireProcessTree: true);
        }
    }

    private static string Folder([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(here, "../../../Kubernetes"));
}
