document.title = JSON.stringify(import.meta.env);
