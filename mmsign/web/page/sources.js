// Frames of a camera or of a video file, one after the other.

import { PageError } from './engine.js';

const REFUSED = {
  NotAllowedError: 'denied',
  SecurityError: 'denied',
  NotFoundError: 'no_camera',
  OverconstrainedError: 'no_camera',
};

// Shows the camera in a video element; returns what stops it.
export async function openCamera(video) {
  if (!navigator.mediaDevices?.getUserMedia) {
    throw new PageError(window.isSecureContext ? 'no_camera' : 'insecure');
  }
  let stream;
  try {
    const wanted = { width: { ideal: 640 }, height: { ideal: 480 }, facingMode: 'user' };
    stream = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
  } catch (error) {
    throw new PageError(REFUSED[error.name] ?? 'busy');
  }
  video.srcObject = stream;
  await video.play();
  return () => {
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  };
}

// The camera's frames as they come, those in between passed over: seconds of each.
export async function* cameraFrames(video, signal) {
  let before = -Infinity;
  while (!signal.aborted && video.srcObject?.active) {
    await nextFrame(video);
    const seconds = performance.now() / 1000;
    if (!signal.aborted && video.readyState >= 2 && seconds > before) {
      before = seconds;
      yield seconds;
    }
  }
}

// The next picture; a camera that stalls must not stop the page.
function nextFrame(video) {
  return new Promise((resolve) => {
    setTimeout(resolve, 1000);
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(resolve);
    else requestAnimationFrame(resolve);
  });
}

// Shows a file in a video element; returns what closes it.
export async function openFile(video, file) {
  const url = URL.createObjectURL(file);
  const close = () => {
    video.removeAttribute('src');
    video.load();
    URL.revokeObjectURL(url);
  };
  video.src = url;
  try {
    await once(video, 'loadeddata');
    if (!video.videoWidth) throw new PageError('decode', file.name);
    if (!Number.isFinite(video.duration)) {
      // Recordings of browsers say how long they are only at their end.
      video.currentTime = 1e9;
      await once(video, 'durationchange');
    }
  } catch {
    close();
    throw new PageError('decode', file.name);
  }
  return close;
}

// A file's frames at a rate, however long each of them takes: seconds of each.
export async function* fileFrames(video, name, rate, signal) {
  video.pause();
  // At least the first, of however short a video.
  const count = Math.max(1, Math.round(video.duration * rate));
  for (let k = 0; k < count && !signal.aborted; k++) {
    // In the middle of a tick: at its edge, rounding may show the frame before.
    video.currentTime = Math.min((k + 0.5) / rate, video.duration);
    try {
      await once(video, 'seeked');
    } catch {
      throw new PageError('decode', name);
    }
    yield k / rate;
  }
}

function once(video, event) {
  return new Promise((resolve, reject) => {
    const done = new AbortController();
    const listen = (name, then) =>
      video.addEventListener(
        name,
        () => {
          done.abort();
          then();
        },
        { signal: done.signal },
      );
    listen(event, resolve);
    listen('error', () => reject(video.error));
  });
}
